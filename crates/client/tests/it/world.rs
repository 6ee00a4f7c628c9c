//! A healthy organisation in memory: an IdP, an authorization server and an MCP server. A test changes one thing.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use lanyard_client::credentials::{ClientAuth, ClientIdentity};
use lanyard_client::flow::{Flow, FlowBuilder};
use lanyard_client::session::Session;
use lanyard_client::store::MemoryStore;
use lanyard_client::subject::Enterprise;
use lanyard_fetch::{Fetch, FetchFuture, FetchRequest, FetchResponse};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::Form;
use lanyard_protocol::issuer::Issuer;
use secrecy::SecretString;
use serde_json::{Value, json};

pub(crate) const IDP: &str = "https://idp.example";
pub(crate) const RAS: &str = "https://as.example";
pub(crate) const MCP: &str = "https://mcp.example/mcp";
pub(crate) const NOW: i64 = 1_789_387_200;

/// What a test may change.
pub(crate) struct Knobs {
    pub(crate) resource: Value,
    pub(crate) ras: Value,
    pub(crate) idp: Value,
    /// Merged into every ID-JAG.
    pub(crate) id_jag: Value,
    /// Answers of the IdP's token endpoint, before it behaves well again.
    pub(crate) exchange: Vec<(u16, Value)>,
    pub(crate) refresh: Vec<(u16, Value)>,
    /// Answers of the RAS's token endpoint, before it behaves well again.
    pub(crate) redemption: Vec<(u16, Value)>,
    /// The challenge of the MCP server's 401.
    pub(crate) challenge: String,
    /// Scopes that every call needs; without them 403 with this challenge.
    pub(crate) needs: Option<(String, String)>,
    /// The MCP server refuses every token.
    pub(crate) refuse_all: bool,
    /// The scopes that the IdP grants at most.
    pub(crate) ceiling: Option<String>,
    pub(crate) legacy: bool,
    /// A second authorization server and a second MCP server exist.
    pub(crate) moved: bool,
    pub(crate) authorize_iss: Option<String>,
    /// What the ID tokens of sign-ins at the IdP say, one after the other; as usual when there is none left.
    pub(crate) sign_ins: Vec<Value>,
    /// The nonce of the last authorization request at the IdP.
    pub(crate) nonce: Option<String>,
}

pub(crate) struct World {
    pub(crate) key: SigningKey,
    pub(crate) clock: AtomicI64,
    pub(crate) knobs: Mutex<Knobs>,
    log: Mutex<Vec<(FetchRequest, Form)>>,
    issued: Mutex<Vec<(String, String)>>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        let resource = json!({"resource": MCP, "authorization_servers": [RAS], "scopes_supported": ["read"]});
        let ras = json!({
            "issuer": RAS, "token_endpoint": format!("{RAS}/token"), "authorization_endpoint": format!("{RAS}/authorize"),
            "registration_endpoint": format!("{RAS}/register"),
            "grant_types_supported": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
            "authorization_grant_profiles_supported": ["urn:ietf:params:oauth:grant-profile:id-jag"],
            "code_challenge_methods_supported": ["S256"], "response_types_supported": ["code"],
            "authorization_response_iss_parameter_supported": true,
        });
        let idp = json!({
            "issuer": IDP, "token_endpoint": format!("{IDP}/token"), "authorization_endpoint": format!("{IDP}/authorize"),
            "jwks_uri": format!("{IDP}/jwks"), "code_challenge_methods_supported": ["S256"],
            "revocation_endpoint": format!("{IDP}/revoke"), "scopes_supported": ["openid", "profile", "offline_access"],
        });
        Arc::new(Self {
            key: SigningKey::generate(Algorithm::Es256).unwrap(),
            clock: AtomicI64::new(NOW),
            knobs: Mutex::new(Knobs {
                resource,
                ras,
                idp,
                id_jag: json!({}),
                exchange: Vec::new(),
                refresh: Vec::new(),
                redemption: Vec::new(),
                challenge: "Bearer scope=\"read\"".to_owned(),
                needs: None,
                refuse_all: false,
                ceiling: None,
                legacy: false,
                moved: false,
                authorize_iss: Some(RAS.to_owned()),
                sign_ins: Vec::new(),
                nonce: None,
            }),
            log: Mutex::default(),
            issued: Mutex::default(),
        })
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Knobs)) {
        change(&mut self.knobs.lock().unwrap());
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Every request so far, as `METHOD url` without the query.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        log.iter()
            .map(|(request, _)| format!("{} {}", request.method, request.url.as_str().split('?').next().unwrap()))
            .collect()
    }

    pub(crate) fn count(&self, request: &str) -> usize {
        self.requests().iter().filter(|own| *own == request).count()
    }

    /// The forms sent to `url` with this grant.
    pub(crate) fn forms(&self, url: &str, grant: &str) -> Vec<Form> {
        let log = self.log.lock().unwrap();
        let sent = log.iter().filter(|(request, form)| {
            request.url.as_str() == url && form.once("grant_type").unwrap().is_some_and(|own| own.ends_with(grant))
        });
        sent.map(|(_, form)| form.clone()).collect()
    }

    pub(crate) fn exchanges(&self) -> Vec<Form> {
        self.forms(&format!("{IDP}/token"), "token-exchange")
    }

    pub(crate) fn redemptions(&self) -> Vec<Form> {
        self.forms(&format!("{RAS}/token"), "jwt-bearer")
    }

    /// The requests themselves.
    pub(crate) fn sent(&self, url: &str) -> Vec<FetchRequest> {
        let log = self.log.lock().unwrap();
        log.iter()
            .map(|(request, _)| request)
            .filter(|request| request.url.as_str() == url)
            .cloned()
            .collect()
    }

    pub(crate) fn id_token(&self, changes: Value) -> String {
        let now = self.now();
        let mut claims =
            json!({"iss": IDP, "sub": "alice", "aud": "agent", "iat": now, "exp": now + 300, "auth_time": now});
        merge(&mut claims, changes);
        self.key.sign("JWT", &claims).unwrap()
    }

    /// A flow for Alice, who is signed in; with credentials at the RAS.
    pub(crate) fn builder(self: &Arc<Self>) -> FlowBuilder {
        let session = self.session();
        let world = Arc::clone(self);
        Flow::builder(Arc::clone(self) as Arc<dyn Fetch>)
            .clock(Arc::new(move || world.now()))
            .store(Arc::new(MemoryStore::with(session)))
            .enterprise(Enterprise::new(Issuer::parse(IDP).unwrap(), self.at_idp()))
            .credentials(Issuer::parse(RAS).unwrap(), Self::at_ras())
    }

    pub(crate) fn flow(self: &Arc<Self>) -> Arc<Flow> {
        Arc::new(self.builder().build())
    }

    pub(crate) fn session(&self) -> Session {
        let id_token = SecretString::from(self.id_token(json!({})));
        let issuer = Issuer::parse(IDP).unwrap();
        let mut session =
            Session::from_id_token(issuer, ClientId::parse("agent").unwrap(), id_token, self.now()).unwrap();
        session.refresh_token = Some(SecretString::from("refresh-1"));
        session
    }

    pub(crate) fn at_idp(&self) -> ClientIdentity {
        ClientIdentity::public(ClientId::parse("agent").unwrap())
    }

    pub(crate) fn at_ras() -> ClientIdentity {
        let auth = ClientAuth::SecretBasic(SecretString::from("ras-secret"));
        ClientIdentity {
            client_id: ClientId::parse("agent-at-ras").unwrap(),
            auth,
        }
    }

    fn respond(&self, request: &FetchRequest, form: &Form) -> FetchResponse {
        let url = request.url.as_str().split('?').next().unwrap().to_owned();
        let mut knobs = self.knobs.lock().unwrap();
        match url.as_str() {
            "https://mcp.example/.well-known/oauth-protected-resource/mcp" => json_answer(200, &knobs.resource),
            "https://as.example/.well-known/oauth-authorization-server" => json_answer(200, &knobs.ras),
            "https://idp.example/.well-known/oauth-authorization-server" => json_answer(404, &json!({})),
            "https://idp.example/.well-known/openid-configuration" => json_answer(200, &knobs.idp),
            "https://idp.example/jwks" => json_answer(200, &json!({"keys": [self.key.public_jwk().to_value()]})),
            "https://idp.example/token" => self.idp_token(&mut knobs, form),
            "https://as.example/token" => self.ras_token(&mut knobs, form),
            "https://as.example/register" => {
                json_answer(201, &json!({"client_id": "registered", "client_secret": "s"}))
            }
            MCP => self.mcp(&knobs, request),
            "https://mcp2.example/.well-known/oauth-protected-resource/mcp" if knobs.moved => json_answer(
                200,
                &json!({"resource": "https://mcp2.example/mcp", "authorization_servers": ["https://as2.example"]}),
            ),
            "https://as2.example/.well-known/oauth-authorization-server" if knobs.moved => {
                let document = knobs.ras.to_string().replace("as.example", "as2.example");
                json_answer(200, &serde_json::from_str(&document).unwrap())
            }
            "https://as2.example/token" => self.ras_token(&mut knobs, form),
            "https://as2.example/register" => json_answer(201, &json!({"client_id": "registered-at-as2"})),
            _ => json_answer(404, &json!({})),
        }
    }

    fn idp_token(&self, knobs: &mut Knobs, form: &Form) -> FetchResponse {
        if form.once("grant_type").unwrap() == Some("refresh_token") {
            if !knobs.refresh.is_empty() {
                let (status, body) = knobs.refresh.remove(0);
                return json_answer(status, &body);
            }
            let body = json!({"access_token": "at-idp", "token_type": "Bearer", "expires_in": 300,
                "refresh_token": "refresh-2", "id_token": self.id_token(json!({}))});
            return json_answer(200, &body);
        }
        if form.once("grant_type").unwrap() == Some("authorization_code") {
            let mut claims = json!({"nonce": knobs.nonce, "acr": "urn:x:phrh"});
            if !knobs.sign_ins.is_empty() {
                merge(&mut claims, knobs.sign_ins.remove(0));
            }
            let body = json!({"access_token": "at-idp", "token_type": "Bearer", "expires_in": 300,
                "refresh_token": "refresh-of-sign-in", "id_token": self.id_token(claims)});
            return json_answer(200, &body);
        }
        if !knobs.exchange.is_empty() {
            let (status, body) = knobs.exchange.remove(0);
            return json_answer(status, &body);
        }
        let once = |name| form.once(name).unwrap().map(str::to_owned);
        let scope = knobs.ceiling.clone().or_else(|| once("scope"));
        let now = self.now();
        let mut claims = json!({"iss": IDP, "sub": "alice-at-ras", "aud": once("audience"), "client_id": "agent-at-ras",
            "jti": format!("jag-{}", self.log.lock().unwrap().len()), "iat": now, "exp": now + 300,
            "resource": once("resource"), "scope": scope});
        if scope.is_none() {
            claims.as_object_mut().unwrap().remove("scope");
        }
        merge(&mut claims, knobs.id_jag.clone());
        let id_jag = self.key.sign("oauth-id-jag+jwt", &claims).unwrap();
        let mut body = json!({"access_token": id_jag, "token_type": "N_A", "expires_in": 300,
            "issued_token_type": "urn:ietf:params:oauth:token-type:id-jag"});
        if let Some(scope) = scope {
            body["scope"] = scope.into();
        }
        json_answer(200, &body)
    }

    fn ras_token(&self, knobs: &mut Knobs, form: &Form) -> FetchResponse {
        if !knobs.redemption.is_empty() {
            let (status, body) = knobs.redemption.remove(0);
            return json_answer(status, &body);
        }
        let scope = match form.once("assertion").unwrap() {
            Some(assertion) => payload(assertion)["scope"].as_str().unwrap_or("read").to_owned(),
            None => self
                .log
                .lock()
                .unwrap()
                .iter()
                .rev()
                .find_map(|(request, _)| {
                    let mut query = request.url.query_pairs();
                    query
                        .find(|(name, _)| name == "x-scope")
                        .map(|(_, scope)| scope.into_owned())
                })
                .unwrap_or_else(|| "read".to_owned()),
        };
        let mut issued = self.issued.lock().unwrap();
        let token = format!("token-{}", issued.len());
        issued.push((token.clone(), scope.clone()));
        json_answer(
            200,
            &json!({"access_token": token, "token_type": "Bearer", "expires_in": 600, "scope": scope}),
        )
    }

    fn mcp(&self, knobs: &Knobs, request: &FetchRequest) -> FetchResponse {
        let token = request
            .headers
            .get(AUTHORIZATION)
            .and_then(|v| v.to_str().unwrap().strip_prefix("Bearer "));
        let issued = self.issued.lock().unwrap();
        let known = issued.iter().find(|(own, _)| Some(own.as_str()) == token);
        let Some((_, scope)) = known.filter(|_| !knobs.refuse_all) else {
            let mut answer = json_answer(401, &json!({}));
            answer
                .headers
                .insert(WWW_AUTHENTICATE, HeaderValue::from_str(&knobs.challenge).unwrap());
            return answer;
        };
        if let Some((needed, challenge)) = &knobs.needs
            && !needed
                .split(' ')
                .all(|needed| scope.split(' ').any(|own| own == needed))
        {
            let mut answer = json_answer(403, &json!({}));
            answer
                .headers
                .insert(WWW_AUTHENTICATE, HeaderValue::from_str(challenge).unwrap());
            return answer;
        }
        rpc(&request.body, knobs.legacy)
    }
}

/// A small MCP server of either wire.
fn rpc(body: &[u8], legacy: bool) -> FetchResponse {
    let message: Value = serde_json::from_slice(body).unwrap();
    let id = &message["id"];
    let info = json!({"name": "fake", "version": "1"});
    let result = match (message["method"].as_str().unwrap_or_default(), legacy) {
        ("server/discover", true) => {
            return json_answer(
                400,
                &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32600, "message": "no session"}}),
            );
        }
        ("server/discover", false) => json!({"resultType": "complete", "supportedVersions": ["2026-07-28"],
            "capabilities": {"tools": {}}, "serverInfo": info, "ttlMs": 0, "cacheScope": "private"}),
        ("initialize", _) => {
            json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info})
        }
        ("tools/list", _) => {
            json!({"resultType": "complete", "tools": [{"name": "echo", "inputSchema": {"type": "object"}}], "ttlMs": 0, "cacheScope": "private"})
        }
        ("tools/call", _) => json!({"resultType": "complete", "content": [{"type": "text", "text": "hello"}]}),
        _ => {
            return FetchResponse {
                status: StatusCode::ACCEPTED,
                headers: HeaderMap::new(),
                body: Vec::new().into(),
            };
        }
    };
    json_answer(200, &json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

pub(crate) fn payload(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&lanyard_jose::digest::from_base64url(payload).unwrap()).unwrap()
}

pub(crate) fn json_answer(status: u16, body: &Value) -> FetchResponse {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    FetchResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.to_string().into(),
    }
}

fn merge(into: &mut Value, changes: Value) {
    let Value::Object(changes) = changes else {
        panic!("changes are an object")
    };
    for (name, value) in changes {
        if value.is_null() {
            into.as_object_mut().unwrap().remove(&name);
        } else {
            into[name] = value;
        }
    }
}

impl Fetch for World {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        Box::pin(async move {
            // Lets concurrent callers interleave.
            tokio::task::yield_now().await;
            let form = Form::parse(&request.body).unwrap_or_default();
            self.log.lock().unwrap().push((request.clone(), form.clone()));
            Ok(self.respond(&request, &form))
        })
    }
}
