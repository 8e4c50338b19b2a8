//! A real compose stack on the host's own engine, in a project of its own, removed with everything in it when the test ends.
//!
//! The services are those of `compose.yml` beside this file. Compose is asked through its command line, so that nothing of ours
//! tests itself.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tokio::process::Command;

use super::waiting::until;

const SERVICES: &str = include_str!("compose.yml");

/// The proxy in front of `web`. Names are asked for anew, since a container that is made anew has another address.
const NGINX: &str = "user www-data; worker_processes 1; pid /run/nginx.pid; events { worker_connections 64; }
http { resolver 127.0.0.11 valid=1s ipv6=off; proxy_connect_timeout 2s;
  server { listen 80; location / { set $upstream web:8000; proxy_pass http://$upstream; } } }";

static PROJECTS: AtomicU32 = AtomicU32::new(0);

/// Which Compose drives a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compose {
    /// 1.29 and the like: `docker-compose`, written in Python.
    One,
    /// The Go program: Docker's plugin, or a binary.
    Two,
}

/// A compose project of one test.
pub(crate) struct Stack {
    /// The project's name: nobody else has it.
    pub(crate) project: String,
    folder: TempDir,
    compose: PathBuf,
    reaper: Child,
}

impl Stack {
    /// A stack with nothing up yet, driven by the command in the environment's `COMPOSE`, else by Compose 2.
    pub(crate) async fn new() -> Self {
        match std::env::var_os("COMPOSE").filter(|name| !name.is_empty()) {
            Some(name) => Self::driven_by(name.into()),
            None => Self::with(Compose::Two).await,
        }
    }

    /// A stack driven by this Compose.
    pub(crate) async fn with(compose: Compose) -> Self {
        Self::driven_by(match compose {
            Compose::One => compose_1().await,
            Compose::Two => compose_2().await,
        })
    }

    fn driven_by(compose: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let number = PROJECTS.fetch_add(1, Ordering::Relaxed);
        let project = format!("mwt-{}-{number}", std::process::id());
        let stack = Self {
            reaper: reaper(&project),
            project,
            folder,
            compose,
        };
        stack.write("docker-compose.yml", SERVICES);
        stack.write("nginx.conf", NGINX);
        std::fs::create_dir(stack.data()).expect("a folder for data");
        // The containers' user is another one.
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(stack.data(), everybody).expect("it is ours");
        stack
    }

    /// Writes a file beside the compose file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("the folder is ours");
    }

    /// A file beside the compose file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the host that `ledger` sees as `/data`.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `up -d SERVICE` with these variables.
    pub(crate) async fn up(&self, service: &str, variables: &[(&str, &str)]) {
        self.compose(&["up", "-d", service], variables).await;
    }

    /// `up -d --force-recreate SERVICE`, its dependencies left alone.
    pub(crate) async fn recreate(&self, service: &str, variables: &[(&str, &str)]) {
        let arguments = ["up", "-d", "--force-recreate", "--no-deps", service];
        self.compose(&arguments, variables).await;
    }

    pub(crate) async fn restart(&self, service: &str) {
        self.compose(&["restart", service], &[]).await;
    }

    pub(crate) async fn stop(&self, service: &str) {
        self.compose(&["stop", service], &[]).await;
    }

    /// Runs a command in a service's container, as its own user.
    pub(crate) async fn exec(&self, service: &str, command: &[&str]) -> String {
        let arguments = [&["exec", "-T", service], command].concat();
        self.compose(&arguments, &[]).await
    }

    /// Runs a command in a service's container as a person at a terminal does; whether it succeeded.
    pub(crate) async fn exec_at_terminal(&self, service: &str, command: &str) -> bool {
        let mut typed = self.at_terminal(&format!("exec {service} {command}"));
        let ended = typed.stdin(Stdio::null()).stdout(Stdio::null()).status().await;
        ended.expect("the script command gives a terminal").success()
    }

    /// Any command of Compose as a person types it at a terminal, to be started.
    pub(crate) fn at_terminal(&self, arguments: &str) -> Command {
        let compose = self.compose.display();
        let line = format!("{compose} -p {} {arguments}", self.project);
        let mut typed = Command::new("script");
        typed
            .current_dir(self.folder.path())
            .args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        typed
    }

    /// Any command of Compose, to be started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.compose);
        command
            .current_dir(self.folder.path())
            .args(["-p", &self.project])
            .args(arguments);
        command
    }

    /// Any command of Compose; gives what it printed.
    pub(crate) async fn compose(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self
            .command(arguments)
            .envs(variables.iter().copied())
            .output()
            .await;
        printed(&format!("{} {arguments:?}", self.compose.display()), output)
    }

    /// The ID of a service's one container.
    pub(crate) async fn container(&self, service: &str) -> String {
        let id = self.compose(&["ps", "-a", "-q", service], &[]).await;
        assert_eq!(id.lines().count(), 1, "one container of {service}: {id:?}");
        id
    }

    /// The address of a service's container in the project's network.
    pub(crate) async fn address(&self, service: &str) -> String {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        docker(&["inspect", "--format", format, &self.container(service).await]).await
    }

    /// Waits until a service's container is healthy by its own check.
    pub(crate) async fn healthy(&self, service: &str) {
        let id = self.container(service).await;
        let what = format!("{service} becomes healthy");
        until(&what, async || {
            let health = docker(&["inspect", "--format", "{{.State.Health.Status}}", &id]).await;
            (health == "healthy").then_some(()).ok_or(health)
        })
        .await;
    }
}

impl Drop for Stack {
    #[expect(
        clippy::print_stderr,
        reason = "a destructor should not panic, and nobody should overlook it"
    )]
    fn drop(&mut self) {
        drop(self.reaper.stdin.take());
        if !self.reaper.wait().is_ok_and(|status| status.success()) {
            eprintln!("the project {} could not be removed as a whole", self.project);
        }
    }
}

/// Waits for the end of its input, which is the end of the stack or of this process however it comes, and removes the project. In a
/// process group of its own, since a test runner ends a slow test's whole group.
fn reaper(project: &str) -> Child {
    let script = format!(
        "cat; with='--quiet --filter label=com.docker.compose.project={project}'; exec 2>&1
         ids=$(docker ps --all $with) && if [ \"$ids\" ]; then docker rm --force --volumes $ids; fi &&
         ids=$(docker network ls $with) && if [ \"$ids\" ]; then docker network rm $ids; fi &&
         ids=$(docker volume ls $with) && if [ \"$ids\" ]; then docker volume rm --force $ids; fi"
    );
    std::process::Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell starts")
}

/// `docker-compose` of version 1.
async fn compose_1() -> PathBuf {
    let output = Command::new("docker-compose")
        .args(["version", "--short"])
        .output()
        .await;
    let is_there = output.is_ok_and(|output| output.status.success() && output.stdout.starts_with(b"1."));
    assert!(
        is_there,
        "Compose 1 is missing: apt-get install docker-compose (Debian 12) brings 1.29"
    );
    "docker-compose".into()
}

/// Compose 2, fetched if need be.
async fn compose_2() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose2.sh");
    printed("tests/compose2.sh", Command::new(script).output().await).into()
}

/// The `docker` command, to be started.
pub(crate) fn docker_on(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments);
    command
}

/// What the `docker` command prints.
pub(crate) async fn docker(arguments: &[&str]) -> String {
    let output = docker_on(arguments).output().await;
    printed(&format!("docker {arguments:?}"), output)
}

fn printed(what: &str, output: std::io::Result<Output>) -> String {
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}; is it installed?"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what}: {error}\nIf an image is missing, run \"make images\" first."
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
