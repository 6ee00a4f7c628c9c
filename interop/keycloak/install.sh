# Installs Keycloak: fetched by Maven, built once for the features the tests need, with a database that has its
# schema and an administrator already, so that a test starts a copy of it in seconds. Sourced by interop/install.

# ID-JAGs are redeemed by an experimental feature; a name this version does not know ends the build.
keycloak_features="identity-assertion-jwt"

install_keycloak() {
  need mvn "Apache Maven (on Debian: maven); it fetches Keycloak"
  need java "Java 17 or newer (on Debian: default-jre-headless); Keycloak runs on it"
  local java="${JAVA_HOME:+$JAVA_HOME/bin/}java" major
  major="$("$java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.specification\.version = //p')" || major=""
  [ "${major%%.*}" -ge 17 ] 2>/dev/null || die "missing: Java 17 or newer (java is version ${major:-unknown})"

  local work="$home/keycloak"
  rm -rf "$work"
  mkdir -p "$work/database"
  mvn -B -q --strict-checksums -f "$here/keycloak/pom.xml" "-Dto=$work/unpacked" generate-resources ||
    die "missing: Keycloak (Maven could not fetch org.keycloak:keycloak-quarkus-dist as interop/keycloak/pom.xml names it)"
  mv "$work"/unpacked/keycloak-* "$work/server"
  rm -rf "$work/unpacked"

  # What the environment says about other Keycloaks is none of this one's business.
  local name
  for name in $(compgen -e KC_ || true) JAVA_OPTS JAVA_OPTS_APPEND; do unset "$name"; done
  keycloak_step build --db=dev-file --health-enabled=true "--features=$keycloak_features"
  (umask 077 && head -c 24 /dev/urandom | base64 | tr -d '/+=\n' >"$work/password")
  INTEROP_PASSWORD="$(cat "$work/password")" keycloak_step bootstrap-admin user --optimized --no-prompt \
    --username admin --password:env INTEROP_PASSWORD \
    "--db-url=jdbc:h2:file:$work/database/keycloakdb;NON_KEYWORDS=VALUE"
  [ -f "$work/database/keycloakdb.mv.db" ] || die "Keycloak made no database"
  keycloak_stamp >"$work/stamp"
}

# One command of Keycloak; what it says is shown where it fails.
keycloak_step() {
  local log="$home/keycloak/$1.log"
  "$home/keycloak/server/bin/kc.sh" "$@" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "Keycloak: kc.sh $1 failed"
  }
}
