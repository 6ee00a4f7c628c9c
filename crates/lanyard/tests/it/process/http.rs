//! One HTTP/1.1 exchange over a socket of its own, so that a lost connection is seen as what it is.

use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// An answer that arrived completely.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON in {self:?}"))
    }
}

/// A request, and where it goes. `Host` is part of it: replicas answer to the name of their issuer.
pub(crate) struct Request<'a> {
    pub(crate) port: u16,
    pub(crate) host: String,
    pub(crate) method: &'a str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'a str, String)>,
    pub(crate) body: String,
}

impl<'a> Request<'a> {
    pub(crate) fn get(port: u16, path: &str) -> Self {
        Self::new(port, "GET", path)
    }

    pub(crate) fn new(port: u16, method: &'a str, path: &str) -> Self {
        Self {
            port,
            host: format!("127.0.0.1:{port}"),
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) fn form(port: u16, path: &str, fields: &[(&str, &str)]) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let mut request = Self::new(port, "POST", path);
        request.body = body.finish();
        request.header("Content-Type", "application/x-www-form-urlencoded")
    }

    pub(crate) fn json(port: u16, method: &'a str, path: &str, body: &Value) -> Self {
        let mut request = Self::new(port, method, path);
        request.body = body.to_string();
        request.header("Content-Type", "application/json")
    }

    pub(crate) fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// By the name of another listener.
    pub(crate) fn named(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Sends it. An answer that breaks off is an error: nobody was told anything.
    pub(crate) fn send(self) -> Result<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(self.bytes().as_bytes())?;
        read(&mut stream)
    }

    pub(crate) fn bytes(&self) -> String {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.method,
            self.path,
            self.host,
            self.body.len()
        );
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        text
    }
}

/// Reads an answer to its end.
pub(crate) fn read(stream: &mut TcpStream) -> Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let broken = || Error::new(ErrorKind::UnexpectedEof, "the answer broke off");
    let text = String::from_utf8(bytes).map_err(|_| broken())?;
    let (head, rest) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let mut answer = Answer {
        status: status.ok_or_else(broken)?,
        headers,
        body: String::new(),
    };
    answer.body = match answer.header("content-length").map(str::parse::<usize>) {
        Some(length) => rest.get(..length.map_err(|_| broken())?).ok_or_else(broken)?.to_owned(),
        None if answer.header("transfer-encoding") == Some("chunked") => joined(rest).ok_or_else(broken)?,
        None => rest.to_owned(),
    };
    Ok(answer)
}

/// The content of chunks, when the last one is there.
fn joined(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.push_str(after.get(..size)?);
        rest = after.get(size + 2..)?;
    }
}
