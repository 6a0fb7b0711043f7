"""Connection options of the JVM's Kafka clients, and redaction of the login in Spark's logs and web pages."""

from csat.contract.kafka_access import Access, access_of
from csat.contract.settings import Settings

_SECURITY = "org.apache.kafka.common.security"
_PASSWORD_MODULES = {
    "PLAIN": f"{_SECURITY}.plain.PlainLoginModule",
    "SCRAM-SHA-512": f"{_SECURITY}.scram.ScramLoginModule",
}
_TOKEN_MODULE = f"{_SECURITY}.oauthbearer.OAuthBearerLoginModule"
_TOKEN_HANDLERS = {
    # In a jar by Google: docs/kafka-security.md says which, and where to put it
    Access.GOOGLE: "com.google.cloud.hosted.kafka.auth.GcpLoginCallbackHandler",
    Access.OIDC: f"{_SECURITY}.oauthbearer.OAuthBearerLoginCallbackHandler",
}
_TOKEN_MILLISECONDS = 10_000

# Spark redacts values that contain a word like password. This redacts by option name, whatever a batch sets
REDACTION = {
    "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|account[.]?key|jaas",
    "spark.sql.redaction.options.regex": "(?i)url|secret|password|token|jaas",
}


def client_options(settings: Settings) -> dict[str, str]:
    """Options of a Kafka client in the JVM, under Kafka's names."""
    options = {"bootstrap.servers": settings.bootstrap_servers, "security.protocol": settings.kafka_security_protocol}
    access = access_of(settings)
    if access is Access.PLAINTEXT:
        return options
    options["sasl.mechanism"] = settings.kafka_sasl_mechanism
    options["sasl.jaas.config"] = _login(settings, access)
    if settings.kafka_ca_file:
        options |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(settings.kafka_ca_file)}
    if access in _TOKEN_HANDLERS:
        options["sasl.login.callback.handler.class"] = _TOKEN_HANDLERS[access]
    if access is Access.OIDC:
        options["sasl.oauthbearer.token.endpoint.url"] = settings.kafka_oauth_url
        options["sasl.login.connect.timeout.ms"] = options["sasl.login.read.timeout.ms"] = str(_TOKEN_MILLISECONDS)
    return options


def jvm_properties(settings: Settings) -> dict[str, str]:
    """System properties of every JVM that logs in: Kafka only contacts token servers that they name."""
    if access_of(settings) is not Access.OIDC:
        return {}
    return {"org.apache.kafka.sasl.oauthbearer.allowed.urls": settings.kafka_oauth_url}


def _login(settings: Settings, access: Access) -> str:
    if access is Access.PASSWORD:
        module = _PASSWORD_MODULES[settings.kafka_sasl_mechanism]
        password = settings.kafka_password.get_secret_value()
        return _module(module, username=settings.kafka_username, password=password)
    if access is Access.GOOGLE:
        return _module(_TOKEN_MODULE)
    secret = settings.kafka_oauth_client_secret.get_secret_value()
    scope = {"scope": settings.kafka_oauth_scope} if settings.kafka_oauth_scope else {}
    return _module(_TOKEN_MODULE, clientId=settings.kafka_oauth_client_id, clientSecret=secret, **scope)


def _module(name: str, **options: str) -> str:
    return " ".join([name, "required", *(f"{key}={_quoted(value)}" for key, value in options.items())]) + ";"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
