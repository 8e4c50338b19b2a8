//! Containers of the host's engine that look as if compose had made them; gone when this is dropped.

use std::process::Command;

/// Small, and there once the demo's images are built.
const IMAGE: &str = "migwatch-demo-base";

/// One service each, `s0` and so on.
pub(crate) struct Containers {
    pub(crate) ids: Vec<String>,
}

impl Containers {
    /// Starts `count` of them in `project`, each with `script` as its command and `RUN_MIGRATIONS` as given.
    pub(crate) fn start(project: &str, count: usize, migrations: &str, script: &str) -> Self {
        let mut containers = Self { ids: Vec::new() };
        for number in 0..count {
            let labels = [
                format!("com.docker.compose.project={project}"),
                format!("com.docker.compose.service=s{number}"),
                "com.docker.compose.container-number=1".to_owned(),
                "com.docker.compose.oneoff=False".to_owned(),
            ];
            let environment = format!("RUN_MIGRATIONS={migrations}");
            let mut arguments = vec!["run", "--detach", "--network", "none", "--env", &environment];
            for label in &labels {
                arguments.extend(["--label", label]);
            }
            arguments.extend([IMAGE, "sh", "-c", script]);
            containers.ids.push(docker(&arguments));
        }
        containers
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        let ids = self.ids.iter().map(String::as_str);
        let arguments: Vec<&str> = ["rm", "--force", "--volumes"].into_iter().chain(ids).collect();
        if !self.ids.is_empty() {
            docker(&arguments);
        }
    }
}

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker")
        .args(arguments)
        .output()
        .expect("the docker command is installed");
    assert!(
        output.status.success(),
        "docker: {} (the images come from `make images`)",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
