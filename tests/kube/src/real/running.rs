//! One program of a cluster while it runs. It never outlives the process that started it, not even one that was
//! killed; what it wrote is removed with it.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use anyhow::Context;

use super::cache::{Cache, last_lines};

/// Runs `$@` until it ends by itself, or until the other end of standard input is closed, which the system does for a
/// process that dies. In the second case the folder `$1` goes too: nobody is left who could look at it.
const UNTIL_WE_ARE_GONE: &str = r#"
folder=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
gone=
trap 'gone=yes; kill -9 "$program"' TERM
( read -r _ <&3; kill -TERM $$ ) &
watch=$!
exec 3<&-
wait "$program"; code=$?
# A shell just forked still has our trap, and would live through a TERM.
if [ -z "$gone" ]; then kill -9 "$watch"; exit "$code"; fi
wait "$program"
rm -rf "$folder"
"#;

/// A started program.
pub(super) struct Running {
    name: &'static str,
    log: PathBuf,
    shell: Child,
    held: Option<ChildStdin>,
}

impl Running {
    /// Starts the program; both of its outputs go to `<folder>/<name>.log`.
    pub(super) fn start(name: &'static str, path: &Path, args: &[String], folder: &Path) -> anyhow::Result<Running> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut shell = Command::new("/bin/sh")
            .args(["-c", UNTIL_WE_ARE_GONE, name])
            .arg(folder)
            .arg(path)
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A Ctrl-C is for whoever started us, and must not end the servers under it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name}: /bin/sh does not start"))?;
        let held = shell.stdin.take();
        Ok(Running { name, log, shell, held })
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.shell.try_wait().ok().flatten()
    }

    /// An error that says what is wrong with this program, the end of its log, and where the whole of it is kept.
    pub(super) fn failure(&self, what: &str) -> anyhow::Error {
        let kept = Cache::of_workspace().of("logs").join(format!("{}.log", self.name));
        let log = match self.keep_log(&kept) {
            Ok(_) => format!("its whole log is {}", kept.display()),
            Err(error) => format!("its log could not be kept: {error}"),
        };
        anyhow::anyhow!(
            "{name} {what}; the last lines of its log:\n{lines}\nNext: {log}; on a busy machine try once more.",
            name = self.name,
            lines = last_lines(&self.log, 15),
        )
    }

    fn keep_log(&self, kept: &Path) -> std::io::Result<u64> {
        std::fs::create_dir_all(kept.parent().unwrap_or(Path::new(".")))?;
        std::fs::copy(&self.log, kept)
    }

    /// Tells the shell to end the program, and waits for neither.
    pub(super) fn let_go(&mut self) {
        self.held = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.let_go();
        // The one error there is says that there is nothing to wait for.
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn is_alive(pid: &str) -> bool {
        Command::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status().unwrap().success()
    }

    /// A program that tells its own number and then stays.
    fn sleeper(folder: &Path) -> (Running, String) {
        let script = "echo $$ > pid.part; mv pid.part pid; exec sleep 600".to_owned();
        let running = Running::start("sleeper", Path::new("/bin/sh"), &["-c".to_owned(), script], folder).unwrap();
        (running, pid_in(folder))
    }

    fn pid_in(folder: &Path) -> String {
        loop {
            match std::fs::read_to_string(folder.join("pid")) {
                Ok(pid) => return pid,
                Err(_) => std::thread::yield_now(),
            }
        }
    }

    #[test]
    fn a_dropped_program_is_gone_and_so_is_its_folder() {
        let made = tempfile::tempdir().unwrap();
        let (running, pid) = sleeper(made.path());
        assert!(is_alive(&pid));
        drop(running);
        assert!(!is_alive(&pid));
        assert!(!made.path().exists());
    }

    #[test]
    fn a_program_does_not_outlive_a_starter_that_is_killed() {
        if let Some(folder) = std::env::var_os("STARTER_TO_BE_KILLED") {
            let _held = sleeper(Path::new(&folder));
            loop {
                std::thread::park();
            }
        }
        let made = tempfile::tempdir().unwrap();
        let folder = made.path().join("of the starter");
        std::fs::create_dir(&folder).unwrap();
        let this = "real::running::tests::a_program_does_not_outlive_a_starter_that_is_killed";
        let mut starter = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this])
            .env("STARTER_TO_BE_KILLED", &folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let pid = pid_in(&folder);
        assert!(is_alive(&pid));
        starter.kill().unwrap();
        starter.wait().unwrap();
        let began = Instant::now();
        while is_alive(&pid) || folder.exists() {
            assert!(began.elapsed() < Duration::from_secs(10), "{pid} lives");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_program_that_ended_by_itself_leaves_its_code_and_its_log() {
        let made = tempfile::tempdir().unwrap();
        let args = ["-c".to_owned(), "echo no such flag || exit 4; exit 3".to_owned()];
        let mut running = Running::start("liar", Path::new("/bin/sh"), &args, made.path()).unwrap();
        assert_eq!(running.shell.wait().unwrap().code(), Some(3));
        assert_eq!(running.ended().and_then(|status| status.code()), Some(3));
        drop(running);
        assert_eq!(std::fs::read_to_string(made.path().join("liar.log")).unwrap(), "no such flag\n");
    }
}
