//! The controller as a process of its own: with a service account's rights, the credentials of the AWS in memory, and
//! nothing else of our environment. It ends with us, however we end.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::INSTALLATION;
use super::aws::{ACCESS_KEY, REGION};
use super::place::Place;

/// Runs `$@` until it ends, or until our end of standard input is closed; then it is asked to stop, and after ten
/// seconds no longer asked.
const UNTIL_WE_ARE_GONE: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
trap 'kill -TERM "$program"' TERM
( read -r _ <&3; kill -TERM $$; sleep 10; kill -KILL "$program" ) &
watch=$!
exec 3<&-
wait "$program"; code=$?
if kill -0 "$program" 2>/dev/null; then wait "$program"; code=$?; fi
# A shell just forked still has our trap, and would live through a TERM.
kill -9 "$watch" 2>/dev/null
exit "$code"
"#;

/// Two seconds on an idle machine.
const TO_BE_READY: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Enough to see what went wrong.
const TAIL: usize = 25;

/// How the controller is started.
pub(crate) struct Start<'a> {
    /// Where it runs.
    pub(crate) place: &'a Place,
    /// AWS's endpoint.
    pub(crate) aws: &'a str,
    /// Hosts that may be dialled although they are on loopback.
    pub(crate) hosts: &'a [String],
    /// Its polling speed-up factor.
    pub(crate) pace: u32,
    /// Where it takes webhooks, if it does.
    pub(crate) webhooks: Option<SocketAddr>,
    /// How often a Service with nothing to do is checked, where not as often as usual.
    pub(crate) resync: Option<&'a str>,
    /// The lease that it stands for, where it is one of several.
    pub(crate) lease: Option<&'a str>,
    /// The name of its host.
    pub(crate) host: &'a str,
    /// What the chart gives it to start with; empty: it was not installed by Helm.
    pub(crate) chart: &'a [String],
    /// Where its log goes.
    pub(crate) log: PathBuf,
}

/// A controller that runs.
pub(crate) struct Controller {
    shell: Mutex<Child>,
    held: Option<ChildStdin>,
    log: PathBuf,
    address: SocketAddr,
}

impl Controller {
    pub(crate) fn start(start: Start<'_>) -> anyhow::Result<Controller> {
        let output = File::create(&start.log).with_context(|| format!("cannot write {}", start.log.display()))?;
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr())?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", UNTIL_WE_ARE_GONE, "launchway"]).args(start.place.command()?);
        command.args(arguments(&start, address));
        command.env_clear().envs(environment(&start));
        let mut shell = command
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A Ctrl-C is for whoever started us.
            .process_group(0)
            .spawn()
            .context("/bin/sh does not start")?;
        let held = shell.stdin.take();
        Ok(Controller { shell: Mutex::new(shell), held, log: start.log, address })
    }

    /// What the same program says when it is to check what works, with the same rights, and whether all does.
    pub(crate) fn check(start: &Start<'_>) -> anyhow::Result<(bool, String)> {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let words = start.place.command()?;
        let (program, first) = words.split_first().context("a place without a program")?;
        let mut command = Command::new(program);
        command.args(first).args(arguments(start, address)).arg("check").env_clear().envs(environment(start));
        let output = command.output().context("the controller's program does not start")?;
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        Ok((output.status.success(), said))
    }

    /// Returns when the controller says that it is ready.
    pub(crate) async fn until_ready(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        while !self.answers("/readyz") {
            if let Some(status) = self.ended() {
                bail!("the controller ended ({status})\n{}", self.tail());
            }
            if began.elapsed() > TO_BE_READY {
                bail!("the controller was not ready in {} s\n{}", TO_BE_READY.as_secs(), self.tail());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.shell.lock().unwrap_or_else(PoisonError::into_inner).try_wait().ok().flatten()
    }

    /// `http://127.0.0.1:port`: health, readiness, metrics.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its log is, and the end of it.
    pub(crate) fn tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(TAIL)..].join("\n");
        format!("{}; its end:\n{last}", self.kept())
    }

    /// Keeps the log where it outlives this run.
    fn kept(&self) -> String {
        let kept = std::env::temp_dir().join(format!("launchway-controller-{}.log", std::process::id()));
        match std::fs::copy(&self.log, &kept) {
            Ok(_) => format!("the controller's log is {}", kept.display()),
            Err(error) => format!("the controller's log could not be kept: {error}"),
        }
    }

    /// The process itself, below the shell that minds it.
    pub(crate) fn pid(&self) -> Option<u32> {
        let shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner).id();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).ok()?;
        let mut pids = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        pids.find(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name != "sh\n"))
    }

    fn answers(&self, path: &str) -> bool {
        let asked = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(1))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address)?;
            let mut head = [0; 12];
            stream.read_exact(&mut head)?;
            Ok(head.ends_with(b" 200"))
        };
        asked().unwrap_or(false)
    }
}

impl Controller {
    /// Asks it to end, and waits until it has.
    pub(super) fn end(&mut self) {
        self.held = None;
        // The one error there is says that there is nothing to wait for.
        let _ = self.shell.get_mut().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.end();
    }
}

fn arguments(start: &Start<'_>, address: SocketAddr) -> Vec<String> {
    let hosts = start.hosts.iter().map(|host| format!("--allow-host={host}"));
    let (installation, pace) = (format!("--installation={INSTALLATION}"), format!("--pace={}", start.pace));
    let own = [installation, pace, "--allow-http".into(), format!("--http-address={address}")];
    let resync = start.resync.map(|resync| format!("--resync={resync}"));
    let lease = start.lease.map(|lease| format!("--lease={lease}"));
    let webhooks = start.webhooks.map(|address| format!("--webhook-address={address}"));
    // Several of them have one address here.
    let chart = start.chart.iter().filter(|argument| !argument.starts_with("--http-address=")).cloned();
    own.into_iter().chain(hosts).chain(resync).chain(lease).chain(webhooks).chain(chart).collect()
}

/// Neither proxies nor a person's own AWS: those would be asked about services of the same name.
fn environment(start: &Start<'_>) -> Vec<(&'static str, std::ffi::OsString)> {
    let kept = ["PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "RUST_LOG", "RUST_BACKTRACE"];
    let kept = kept.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let own = [
        ("AWS_ENDPOINT_URL", start.aws.into()),
        ("AWS_REGION", REGION.into()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY.into()),
        ("AWS_SECRET_ACCESS_KEY", "never-leaves-this-machine".into()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ("HOME", "/nonexistent".into()),
    ];
    kept.chain(own).chain(start.place.kubernetes()).chain([("HOSTNAME", start.host.into())]).collect()
}
