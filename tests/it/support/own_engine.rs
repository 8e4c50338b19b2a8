//! An engine of one test's own: a real `dockerd` with its containers, that can be stopped, killed and started again.
//!
//! Promises that it and the host's own engine know nothing of each other (network, mounts, processes, control groups and folders are
//! its own), and that nothing of it is left when it is dropped or the test's process ends, however that ends. Needs root, and an
//! image that the host's engine has. Refuses to know what is watched.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child as Holder, Command as HolderCommand, Stdio};
use std::time::Duration;

use migwatch::model::service::ContainerId;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::receiver::PATIENCE;

/// Holds a shell and little else; it is built with the demo's images.
const IMAGE: &str = "migwatch-demo-base";

/// How often something is asked that tells no one when it changes.
const PACE: Duration = Duration::from_millis(50);

/// The first process of the namespaces: it collects the processes that others leave behind (an engine that finds its dead containerd
/// uncollected waits for it), and its end ends them all. The other engine's sockets in `/run` are out of sight.
const FIRST_PROCESS: &str =
    "mount -t tmpfs tmpfs /run && echo ready && exec 3<&0 && { cat <&3 >/dev/null & wait $!; }";

pub(crate) struct OwnEngine {
    folder: TempDir,
    /// It keeps the namespaces; when its standard input ends, so does everything in them.
    namespaces: Holder,
    daemon: Option<Child>,
}

impl OwnEngine {
    /// Up, with one image and no containers.
    pub(crate) async fn start() -> Self {
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        assert!(
            is_root,
            "a test with an engine of its own can only be run by root"
        );
        let has_daemon = HolderCommand::new("dockerd").arg("--version").output().is_ok();
        assert!(
            has_daemon,
            "dockerd is missing: install Docker's engine, which this test starts once more for itself"
        );
        let folder = tempfile::Builder::new()
            .prefix("migwatch-engine-")
            .tempdir()
            .expect("a temporary folder can be made");
        // Without a file of its own it would read the host's.
        std::fs::write(folder.path().join("daemon.json"), "{}").expect("the folder takes files");
        let mut engine = Self {
            folder,
            namespaces: namespaces(),
            daemon: None,
        };
        engine.start_again(&[]).await;
        engine.load().await;
        engine
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path("docker.sock")
    }

    /// Starts the daemon over what is there, with these flags more; back when it answers.
    pub(crate) async fn start_again(&mut self, flags: &[&str]) {
        let log = || Stdio::from(self.log().expect("the folder takes files"));
        let daemon = self
            .inside()
            .arg("dockerd")
            .args(self.settings())
            .args(flags)
            .stdin(Stdio::null())
            .stdout(log())
            .stderr(log())
            .spawn()
            .expect("dockerd can be run");
        self.daemon = Some(daemon);
        let mut pace = tokio::time::interval(PACE);
        let answers = async {
            while !self.try_docker(&["version"]).await.is_ok_and(|_| true) {
                pace.tick().await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, answers).await;
        assert!(came.is_ok(), "the engine did not start:\n{}", self.told());
    }

    /// Stops the daemon as the system does (`TERM`), or at whatever it is doing (`KILL`); back when it has ended.
    pub(crate) async fn end(&mut self, signal: &str) {
        let mut daemon = self.daemon.take().expect("it runs");
        let kill = format!("kill -{signal} $(cat {})", self.path("docker.pid").display());
        let sent = self.inside().args(["sh", "-c", &kill]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "{kill}");
        let ended = tokio::time::timeout(PATIENCE, daemon.wait()).await;
        assert!(ended.is_ok(), "{signal} did not end it:\n{}", self.told());
    }

    /// Runs a container without a network that is stopped after a second; `options` are more of those of `docker run`.
    pub(crate) async fn run(&self, options: &[&str], script: &str) -> ContainerId {
        let run = ["run", "--detach", "--network", "none", "--stop-timeout", "1"];
        let command = [IMAGE, "sh", "-c", script];
        ContainerId(self.docker(&[&run, options, &command].concat()).await)
    }

    /// The number of the container's first process, as it is known inside.
    pub(crate) async fn process(&self, container: &ContainerId) -> String {
        self.docker(&["inspect", "--format", "{{.State.Pid}}", &container.0])
            .await
    }

    /// Waits until a process has ended, whether the daemon runs or not.
    pub(crate) async fn ended(&self, process: &str) {
        let gone = format!("while kill -0 {process} 2>/dev/null; do sleep 0.05; done");
        let waiting = self.inside().args(["sh", "-c", &gone]).status();
        let ended = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(ended.is_ok(), "process {process} does not end");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The control group of its containers, which has no namespace.
    fn group(&self) -> &Path {
        self.folder
            .path()
            .file_name()
            .map(Path::new)
            .expect("it has a name")
    }

    /// A command in the engine's namespaces.
    fn inside(&self) -> Command {
        let holder = self.namespaces.id();
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &holder.to_string(), "--net", "--mount"])
            .arg(format!("--pid=/proc/{holder}/ns/pid_for_children"))
            .arg("--")
            .kill_on_drop(true);
        command
    }

    fn settings(&self) -> Vec<String> {
        let at = |flag: &str, name: &str| format!("--{flag}={}", self.path(name).display());
        let mut settings = vec![
            at("config-file", "daemon.json"),
            at("data-root", "data"),
            at("exec-root", "exec"),
            at("pidfile", "docker.pid"),
            format!("--host=unix://{}", self.socket().display()),
            format!("--cgroup-parent=/{}", self.group().display()),
            format!("--storage-driver={}", storage()),
        ];
        let fixed = [
            "--exec-opt=native.cgroupdriver=cgroupfs",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            "--log-level=warn",
        ];
        settings.extend(fixed.map(str::to_owned));
        settings
    }

    fn log(&self) -> std::io::Result<File> {
        File::options()
            .create(true)
            .append(true)
            .open(self.path("dockerd.log"))
    }

    fn told(&self) -> String {
        std::fs::read_to_string(self.path("dockerd.log")).unwrap_or_default()
    }

    /// Gives it the image, from the host's engine.
    async fn load(&self) {
        let mut save = Command::new("docker")
            .args(["save", IMAGE])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the docker command is installed");
        let saved = save.stdout.take().expect("it is piped");
        let loaded = self
            .client()
            .arg("load")
            .stdin(TryInto::<Stdio>::try_into(saved).expect("a pipe can be handed on"))
            .output();
        let (saved, loaded) = tokio::join!(save.wait(), loaded);
        assert!(
            saved.is_ok_and(|status| status.success()),
            "the image {IMAGE} is missing: run \"make images\" first"
        );
        let loaded = loaded.expect("the docker command is installed");
        assert!(loaded.status.success(), "docker load: {loaded:?}");
    }

    fn client(&self) -> Command {
        let mut command = Command::new("docker");
        command
            .arg(format!("--host=unix://{}", self.socket().display()))
            .kill_on_drop(true);
        command
    }

    /// What the docker command answers.
    pub(crate) async fn docker(&self, arguments: &[&str]) -> String {
        let answer = self.try_docker(arguments).await;
        answer.unwrap_or_else(|error| panic!("docker {arguments:?}: {error}\n{}", self.told()))
    }

    async fn try_docker(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.client().args(arguments).stdin(Stdio::null()).output();
        let output = output.await.expect("the docker command is installed");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        drop(self.namespaces.stdin.take());
        // Back when the last process in the namespaces is gone, and with it every mount.
        let ended = self.namespaces.wait();
        let hierarchies = std::fs::read_dir("/sys/fs/cgroup")
            .into_iter()
            .flatten()
            .flatten();
        for hierarchy in hierarchies.map(|entry| entry.path()) {
            remove_group(&hierarchy.join(self.group()));
        }
        remove_group(&Path::new("/sys/fs/cgroup").join(self.group()));
        assert!(
            ended.is_ok() || std::thread::panicking(),
            "the engine's processes stay: {ended:?}"
        );
    }
}

/// Its files go with it; of folders only empty ones may be removed, innermost first.
fn remove_group(group: &Path) {
    let inner = std::fs::read_dir(group).into_iter().flatten().flatten();
    for entry in inner.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove_group(&entry.path());
    }
    // Most hierarchies do not have it.
    let _ = std::fs::remove_dir(group);
}

/// New network, mount and process namespaces, and the process that keeps them.
fn namespaces() -> Holder {
    let mut holder = HolderCommand::new("unshare")
        .args(["--net", "--mount", "--propagation=slave", "--pid", "--fork"])
        .args(["--kill-child", "--mount-proc", "--", "sh", "-c", FIRST_PROCESS])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare is installed with every Linux");
    let mut line = String::new();
    let stdout = holder.stdout.take().expect("it is piped");
    let told = BufReader::new(stdout).read_line(&mut line);
    assert!(
        told.is_ok() && line == "ready\n",
        "no namespaces can be made here: this test needs a root that may (as in a privileged container)"
    );
    holder
}

/// The quick one where it is installed, and the one that works everywhere.
fn storage() -> &'static str {
    let is_installed = HolderCommand::new("fuse-overlayfs")
        .arg("--version")
        .output()
        .is_ok();
    if is_installed && Path::new("/dev/fuse").exists() {
        "fuse-overlayfs"
    } else {
        "vfs"
    }
}
