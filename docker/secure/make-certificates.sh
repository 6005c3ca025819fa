#!/usr/bin/env bash
# Makes what docker-compose.secure.yml mounts, in docker/secure/generated: an authority of our own, a certificate for
# each server, and passwords. Run again it renews the certificates and keeps the authority and the passwords.
# For trials and small set-ups; where there is an authority already, put its files in the same places.
set -euo pipefail
umask 077
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly days=${CERTIFICATE_DAYS:-365}
mkdir -p generated
cd generated

make_authority() {
    [[ -e ca.key ]] && return
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout ca.key -out ca.crt -days 3650 \
        -subj "/O=Currency Trends/CN=Currency Trends authority" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
}

# A server is reached by its name in the compose network, and as localhost through its published port.
make_certificate() {
    local server=$1
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$server.key" -out "$server.csr" \
        -subj "/O=Currency Trends/CN=$server" 2>/dev/null
    openssl x509 -req -in "$server.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days "$days" -out "$server.crt" \
        -extfile <(printf '%s\n' "subjectAltName=DNS:$server,DNS:localhost,IP:127.0.0.1" \
            "extendedKeyUsage=serverAuth,clientAuth" "keyUsage=critical,digitalSignature" \
            "basicConstraints=critical,CA:FALSE") 2>/dev/null
    rm "$server.csr"
}

make_password() {
    [[ -e $1 ]] || openssl rand -hex 24 | tr -d '\n' >"$1"
}

make_authority
for server in kafka1 kafka2 kafka3 registry postgres okx-sim; do
    make_certificate "$server"
done
for broker in kafka1 kafka2 kafka3; do
    cat "$broker.key" "$broker.crt" ca.crt >"$broker.pem" # Kafka wants all in one file
    rm "$broker.key" "$broker.crt"
done
make_password broker_password
make_password kafka_password

module=org.apache.kafka.common.security.plain.PlainLoginModule
cat >kafka.jaas <<TEXT
KafkaServer {
    $module required
    username="broker" password="$(<broker_password)"
    user_broker="$(<broker_password)"
    user_currency-trends="$(<kafka_password)";
};
KafkaClient {
    $module required username="currency-trends" password="$(<kafka_password)";
};
TEXT
cat >client.properties <<TEXT
security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config=$module required username="currency-trends" password="$(<kafka_password)";
ssl.truststore.type=PEM
ssl.truststore.location=/etc/kafka/secrets/ca.crt
TEXT
cat >registry.properties <<TEXT
apicurio.kafka.common.security.protocol=SASL_SSL
apicurio.kafka.common.sasl.mechanism=PLAIN
apicurio.kafka.common.sasl.jaas.config=$module required username="currency-trends" password="$(<kafka_password)";
apicurio.kafka.common.ssl.truststore.type=PEM
apicurio.kafka.common.ssl.truststore.location=/etc/registry/ca.crt
TEXT
chmod 644 ./*        # containers read them as other users; it is the folder that keeps others away
chmod 600 ca.key     # no container needs it
printf 'made %s\n' "$PWD"
