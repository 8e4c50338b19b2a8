//! What a container's health check asks over HTTP, read from its command. Pure.
//!
//! Promises the same question from outside. Refuses whatever it does not wholly understand: more than one URL, another host,
//! HTTPS (its certificate would be for `localhost`), options that change the request, a pipe or a fallback that changes the answer.

use std::net::IpAddr;
use std::sync::LazyLock;

use hyper::header::HOST;
use regex::Regex;
use url::{Host, Url};

use crate::probe::target::HttpAsk;

/// Up to where a quote, the shell or a Python string ends it. `curl` and `wget` take a host without a scheme.
static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(?:\bhttps?://|\blocalhost[:/]|\b127\.0\.0\.1[:/])[^\s'"`|;&<>()\\]*(?:&[^&\s'"][^\s'"]*)?"#,
    )
    .ok()
});

/// What the health check `check` (Docker's `Healthcheck.Test`) asks, turned to `address`.
pub(super) fn ask(check: &[String], address: IpAddr) -> Option<HttpAsk> {
    let command = match check.split_first()? {
        (kind, [command]) if kind == "CMD-SHELL" => command.clone(),
        (kind, words) if kind == "CMD" => words.join(" "),
        _ => return None,
    };
    if !is_plain_get(&command) || has_other_outcome(&command) {
        return None;
    }
    let mut urls: Vec<&str> = URL
        .as_ref()?
        .find_iter(&command)
        .map(|found| found.as_str())
        .collect();
    urls.dedup();
    let [text] = urls.as_slice() else { return None };
    let mut url = Url::parse(&if text.contains("://") {
        (*text).to_owned()
    } else {
        format!("http://{text}")
    })
    .ok()?;
    if url.scheme() != "http" || !is_own(&url) {
        return None;
    }
    let host = url.host_str()?;
    let host = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    url.set_ip_host(address).ok()?;
    Some(HttpAsk {
        // The check's own name for the host: applications that serve only known hosts know this one.
        headers: vec![(HOST, host.into())],
        // The tools fail at 400 and above. A redirect is not followed: it may name localhost, which is not ours.
        expect_status: (200..=399).collect(),
        ..HttpAsk::get(url)
    })
}

/// Whether `url` is the container's own.
fn is_own(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    }
}

/// Whether something beside the request decides: a variable, a pipe, a fallback that makes it good.
fn has_other_outcome(command: &str) -> bool {
    let piped = command.replace("||", " ").contains('|');
    let excused = command.split("||").skip(1).any(|fallback| {
        let fallback = fallback.trim();
        fallback.starts_with("true") || fallback.starts_with(':') || fallback.starts_with("exit 0")
    });
    command.contains('$') || piped || excused
}

/// Whether `command` is a plain GET (or HEAD) with a tool that fails on an error status: `curl -f`, `wget`, Python's `urlopen`.
fn is_plain_get(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let has_tool = |tool: &str| words.iter().any(|word| word.rsplit('/').next() == Some(tool));
    let has_short = |letters: &[char]| {
        words
            .iter()
            .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(letters))
    };
    let has_long = |options: &[&str]| {
        words
            .iter()
            .any(|word| options.iter().any(|option| word.starts_with(option)))
    };
    if has_tool("curl") {
        let fails = has_short(&['f']) || has_long(&["--fail"]);
        let changed = has_short(&['H', 'X', 'u', 'd', 'F', 'k', 'x', 'K', 'b', 'T'])
            || has_long(&[
                "--header",
                "--request",
                "--user",
                "--data",
                "--form",
                "--proxy",
                "--unix-socket",
                "--upload",
            ]);
        fails && !changed
    } else if has_tool("wget") {
        !has_long(&[
            "--header",
            "--post",
            "--method",
            "--user",
            "--body",
            "--password",
            "--http-",
        ])
    } else {
        // Python. With a request object, data or an exception handler it is another question.
        let changed = ["Request(", "data=", "data =", "except", "suppress(", "context="];
        command.contains("urlopen(") && !changed.iter().any(|sign| command.contains(sign))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::ask;

    fn shell(command: &str) -> Option<String> {
        let test = ["CMD-SHELL".to_owned(), command.to_owned()];
        ask(&test, "172.18.0.3".parse().unwrap()).map(|ask| ask.url.to_string())
    }

    #[test]
    fn a_plain_health_check_becomes_the_same_question_to_the_container() {
        for (command, url) in [
            (
                "curl -f http://localhost:8000/health",
                "http://172.18.0.3:8000/health",
            ),
            (
                "curl -fsS --max-time 3 http://127.0.0.1:8000/health || exit 1",
                "http://172.18.0.3:8000/health",
            ),
            (
                "curl --fail 'http://localhost:8000/health?deep=1&db=1'||exit 1",
                "http://172.18.0.3:8000/health?deep=1&db=1",
            ),
            (
                "/usr/bin/curl -sf -o /dev/null localhost/ && test -e /ready",
                "http://172.18.0.3/",
            ),
            (
                "wget -q --spider http://0.0.0.0:8080/ping",
                "http://172.18.0.3:8080/ping",
            ),
            ("wget -qO- http://[::1]:8080/ping", "http://172.18.0.3:8080/ping"),
            (
                r#"python3 -c "import urllib.request as u; u.urlopen('http://localhost:8000/health', timeout=2)""#,
                "http://172.18.0.3:8000/health",
            ),
        ] {
            assert_eq!(shell(command).as_deref(), Some(url), "{command}");
        }
    }

    #[test]
    fn what_is_not_wholly_understood_gives_no_probe() {
        for command in [
            "pg_isready -U postgres",
            "curl http://localhost:8000/health",
            "curl -f http://localhost:$PORT/health",
            "curl -f http://coe-rag:8000/health",
            "curl -fk https://localhost:8443/health",
            "curl -f https://localhost:8443/health",
            "curl -f -H 'X-Token: t' http://localhost:8000/health",
            "curl -f -XPOST http://localhost:8000/health",
            "curl -fs http://localhost:8000/health | grep -q healthy",
            "curl -f http://localhost:8000/health || true",
            "curl -f http://localhost:8000/a && curl -f http://localhost:8000/b",
            "wget --header=X:y http://localhost:8000/",
            "curl -f http://localhost:99999/",
            "curl -f http://",
            "echo http://localhost:8000/health",
            "",
        ] {
            assert_eq!(shell(command), None, "{command}");
        }
        for test in [&["NONE"][..], &[], &["CMD"], &["CMD-SHELL"]] {
            let test: Vec<String> = test.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(ask(&test, "172.18.0.3".parse().unwrap()).map(|ask| ask.url), None);
        }
    }

    #[test]
    fn an_exec_form_check_is_read_too_and_keeps_the_host_it_named() {
        let test = ["CMD", "curl", "-f", "http://localhost:8000/health"].map(str::to_owned);
        let ask = ask(&test, "fd00::3".parse().unwrap()).unwrap();
        assert_eq!(ask.url.as_str(), "http://[fd00::3]:8000/health");
        assert_eq!(ask.headers[0].1.expose_secret(), "localhost:8000");
    }
}
