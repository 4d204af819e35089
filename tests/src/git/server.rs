//! A git server on loopback: HTTP in front of git's own `git http-backend`, for fetching and pushing. No TLS.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::{Access, Hash, Repository};

/// The protocol versions that a server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// What the client asks for.
    Newest,
    /// Version 0 only, as servers before git 2.18.
    V0,
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shelf: Arc<Shelf>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shelf {
    root: PathBuf,
    protocol: Protocol,
    access: Mutex<BTreeMap<String, Access>>,
}

/// More than any push of the sample needs.
const LARGEST: usize = 64 << 20;

impl Server {
    /// Serves what is created under `root`, on `listen` (port 0: any that is free).
    pub async fn start(root: &Path, listen: SocketAddr, protocol: Protocol) -> io::Result<Server> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let shelf = Arc::new(Shelf { root: root.to_owned(), protocol, access: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shelf));
        let task = tokio::spawn(async move {
            let _ends_with_the_task = axum::serve(listener, app).await;
        });
        Ok(Server { address, shelf, task })
    }

    /// `127.0.0.1:port`, as an administrator lists it.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The URL of the repository `name`.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}.git", self.address)
    }

    /// Makes an empty repository `name` that `access` may read and write.
    pub fn create(&self, name: &str, hash: Hash, access: Access) -> io::Result<Repository> {
        let dir = format!("{name}.git");
        let repository = Repository::create(&self.shelf.root.join(&dir), hash)?;
        self.shelf.access().insert(dir, access);
        Ok(repository)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shelf {
    fn access(&self) -> MutexGuard<'_, BTreeMap<String, Access>> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A repository that was never made admits everybody, and git says that there is none.
    fn admits(&self, path: &str, headers: &HeaderMap) -> bool {
        let name = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        self.access().get(name).is_none_or(|access| access.admits(headers.get(AUTHORIZATION)))
    }
}

async fn answer(State(shelf): State<Arc<Shelf>>, request: Request<Body>) -> Response {
    if !shelf.admits(request.uri().path(), request.headers()) {
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Basic realm=\"git\"")]).into_response();
    }
    match backend(&shelf, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn backend(shelf: &Shelf, request: Request<Body>) -> io::Result<Response> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.map_err(io::Error::other)?;
    let header = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut command = Command::new("git");
    command.arg("http-backend").env_clear().envs(bare_environment());
    command.env("GIT_PROJECT_ROOT", &shelf.root).env("GIT_HTTP_EXPORT_ALL", "1");
    command.env("REQUEST_METHOD", parts.method.as_str()).env("PATH_INFO", parts.uri.path());
    command.env("QUERY_STRING", parts.uri.query().unwrap_or_default()).env("CONTENT_TYPE", header(CONTENT_TYPE));
    command.env("CONTENT_LENGTH", body.len().to_string()).env("HTTP_CONTENT_ENCODING", header(CONTENT_ENCODING));
    match shelf.protocol {
        Protocol::Newest => command.env("GIT_PROTOCOL", header(HeaderName::from_static("git-protocol"))),
        Protocol::V0 => &mut command,
    };
    response(&run(command, body).await?.stdout)
}

async fn run(mut command: Command, input: Bytes) -> io::Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().ok_or_else(|| io::Error::other("git takes no input"))?;
    let feed = async move {
        // A backend that refuses closes its input early; what it says is in its output.
        let _refused = stdin.write_all(&input).await;
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    output
}

/// The answer of a CGI program: headers, among them perhaps `Status`, an empty line, the body (RFC 3875, section 6).
fn response(output: &[u8]) -> io::Result<Response> {
    let broken = || io::Error::other("git http-backend gave no CGI answer");
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(broken)?;
    let (head, body) = (&output[..end], &output[end + 4..]);
    let mut response = Body::from(body.to_vec()).into_response();
    response.headers_mut().clear();
    for line in String::from_utf8_lossy(head).lines() {
        let (name, value) = line.split_once(": ").ok_or_else(broken)?;
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().unwrap_or_default();
            *response.status_mut() = code.parse().map_err(io::Error::other)?;
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(io::Error::other)?;
        response.headers_mut().insert(name, HeaderValue::from_str(value).map_err(io::Error::other)?);
    }
    Ok(response)
}

/// Where programs are found, and nothing else of this process: no settings, no prompts, no time zone, no locale.
pub(super) fn bare_environment() -> Vec<(&'static str, String)> {
    vec![
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
        ("HOME", "/nonexistent".into()),
        ("LC_ALL", "C".into()),
        ("TZ", "UTC".into()),
    ]
}
