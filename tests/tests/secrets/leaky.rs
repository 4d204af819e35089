//! An AWS whose errors repeat what they were sent: keys, tokens, whole headers. The controller's own credentials are marked.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;
use launchway_cloud::{Clouds, Settings};
use launchway_test_aws::door::Connector;
use launchway_tests::world::{World, sample};
use serde_json::json;

/// The controller's access key: of the form that AWS gives them.
pub const ACCESS_KEY: &str = "AKIAMARKED0KEY000001";
/// Its secret: forty characters, as AWS's have.
pub const SECRET_KEY: &str = "mArkedS3cret/K7MDENG+bPxRfiCYEXAMPLEKEY1";
/// A session token in an error: hundreds of characters in AWS's, a few less here.
pub const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjMarkedT0kenAbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMnOp";
/// What careless tools print, behind many names.
pub const WORD: &str = "m4rk3d-word-71";
/// A token of GitHub's form.
pub const GITHUB: &str = "ghp_mArk3dGitHubToken0123456789abcdefghi";

/// What careless tools print.
pub fn talk() -> Vec<String> {
    let lines = [
        "fatal: unable to access https://me:$WORD@git.example.com/a.git/",
        "fatal: could not read https://$WORD@git.example.com/a.git/",
        "password=$WORD",
        "PGPASSWORD=$WORD psql -h db",
        "token: $WORD",
        "//registry.npmjs.org/:_authToken=$WORD",
        "docker login -u me -p $WORD registry.example.com",
        "pass\u{1b}[1mword=\u{1b}[0m$COLOURED",
        "using $GITHUB",
    ];
    let coloured = format!("{}\u{1b}[0m{}", &WORD[..6], &WORD[6..]);
    let filled = |line: &str| line.replace("$COLOURED", &coloured).replace("$WORD", WORD).replace("$GITHUB", GITHUB);
    lines.map(filled).into()
}

/// In the body of an error that is no JSON.
pub const BROKEN_BODY: &str = "marked-broken-body-d4";

/// What AWS's errors repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// Nothing: it answers as it should.
    #[default]
    Silent,
    /// The keys, in a refusal.
    Keys,
    /// A session token, in a refusal of the token.
    Token,
    /// The `Authorization` header, in a failed signature.
    Header,
    /// What careless tools print.
    Talk,
    /// A page that is no answer at all.
    Page,
}

/// All but silence.
pub const ALL: [Mood; 5] = [Mood::Keys, Mood::Token, Mood::Header, Mood::Talk, Mood::Page];

/// The mood, to be changed while a story goes on.
#[derive(Clone, Default)]
pub struct Moods(Arc<Mutex<Mood>>);

impl Moods {
    /// From now on.
    pub fn set(&self, mood: Mood) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    fn now(&self) -> Mood {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// AWS through this wire, with marked credentials.
pub fn clouds(world: &World, moods: &Moods) -> Clouds {
    let key = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "marked");
    let base = SdkConfig::builder()
        .credentials_provider(SharedCredentialsProvider::new(key))
        .region(Region::new(sample::REGION))
        .build();
    let wire = Wire { inner: Connector::new(world.aws.clone(), world.time.clock()), moods: moods.clone() };
    Clouds::new(Settings {
        http_client: Some(SharedHttpClient::new(wire)),
        time_source: Some(SharedTimeSource::new(Time(world.clone()))),
        linger: std::time::Duration::ZERO,
        ..Settings::new(base)
    })
}

struct Time(World);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

impl TimeSource for Time {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}

#[derive(Clone)]
struct Wire {
    inner: Connector,
    moods: Moods,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let header = request.headers().get("authorization").unwrap_or_default().to_owned();
        let refusal = |code: &str, message: String| (400, json!({"__type": code, "message": message}).to_string());
        let (status, body) = match self.moods.now() {
            Mood::Silent => return self.inner.call(request),
            Mood::Keys => refusal(
                "InvalidParameterException",
                format!("the key {ACCESS_KEY} with the secret {SECRET_KEY} may not do this"),
            ),
            Mood::Token => refusal(
                "UnrecognizedClientException",
                format!("The security token {SESSION_TOKEN} included in the request is invalid"),
            ),
            Mood::Header => refusal(
                "InvalidSignatureException",
                format!(
                    "The request signature does not match. Authorization: {header} x-amz-security-token: {SESSION_TOKEN}"
                ),
            ),
            Mood::Talk => refusal("InvalidParameterException", talk().join("; ")),
            Mood::Page => (503, format!("<html>{BROKEN_BODY} {SECRET_KEY}</html>")),
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body))))
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
