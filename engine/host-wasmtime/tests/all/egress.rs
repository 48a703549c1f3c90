//! A guest reaches exactly what it was granted. Every vector ends in a refusal that says why, and the
//! sockets that it aims at see nobody.
//!
//! `nobody_is_reached_without_a_network_either` runs the same vectors in a network namespace that has only
//! a loopback interface.

use crate::component::{Ready, connection};
use crate::server::{Say, Server};
use async_trait::async_trait;
use hostler_host_wasmtime::Resolver;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers each name from its own list, the last answer for ever.
struct Names {
    asked: AtomicUsize,
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let addresses: &[&str] = match name {
            "metadata.example" => &["169.254.169.254"],
            "inside.example" => &["10.0.0.1"],
            "mapped.example" => &["::ffff:10.0.0.1"],
            "loopback.example" => &["127.0.0.1"],
            "loopback6.example" => &["::1"],
            "translated.example" => &["64:ff9b::7f00:1"],
            "rebinding.example" if asked == 0 => &["127.0.0.2"],
            "rebinding.example" => &["127.0.0.1"],
            // As the C library reads them.
            "127.1" | "0x7f000001" | "2130706433" | "0177.0.0.1" => &["127.0.0.1"],
            _ => &[],
        };
        Ok(addresses.iter().map(|text| text.parse().unwrap()).collect())
    }
}

fn names() -> Arc<Names> {
    Arc::new(Names {
        asked: AtomicUsize::new(0),
    })
}

fn refused(told: &Value, vector: &str) {
    let kind = told["kind"].as_str().unwrap_or_default();
    assert!(
        matches!(kind, "refused" | "not_granted"),
        "{vector}: {told}"
    );
    let detail = told["detail"].as_str().unwrap();
    let remedy = [
        "add",
        "give",
        "write",
        "leave it out",
        "refused",
        "percent-encode",
    ];
    assert!(
        remedy.iter().any(|word| detail.contains(word)),
        "{vector} has no remedy: {detail}"
    );
    assert_eq!(told["maybe_sent"], json!(false), "{vector}");
}

#[tokio::test]
async fn a_connection_reaches_no_address_that_it_does_not_name() {
    let trap = Server::start("127.0.0.1:0", |_| Say::new(200, "caught")).await;
    let port = trap.address.port();
    let hosts = [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "0.0.0.0",
        "[::]",
        "loopback.example",
        "loopback6.example",
        "translated.example",
        "metadata.example",
        "inside.example",
        "mapped.example",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "127.0.0.1.",
        "255.255.255.255",
    ];
    for host in hosts {
        for addresses in [&[][..], &["127.0.0.0/8"][..], &["0.0.0.0/0", "::/0"][..]] {
            if addresses.contains(&"0.0.0.0/0")
                && (host == "inside.example" || host == "mapped.example")
            {
                continue;
            }
            let config = connection(&format!("http://{host}:{port}/"), addresses);
            let ready = Ready::with_resolver(vec![config], names()).await;
            refused(
                &ready.told("evil.fetch", json!({ "path": "/" })).await,
                host,
            );
            refused(
                &ready.told("evil.check", json!({ "kind": "tcp" })).await,
                host,
            );
        }
    }
    assert_eq!(trap.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_guest_cannot_talk_its_way_out_of_its_connection() {
    let trap = Server::start("127.0.0.1:0", |_| Say::new(200, "caught")).await;
    let home = Server::start("127.0.0.2:0", |_| Say::new(200, "home")).await;
    let (out, port) = (trap.address, home.address.port());
    let ready = Ready::new(vec![connection(&home.url(), &["127.0.0.2/32"])]).await;
    let paths = [
        format!("http://{out}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.2:{port}/"),
        "http://127.0.0.2:22/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("http://[::1]:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://[::ffff:10.0.0.1]:{port}/"),
        format!("http://127.0.0.2:{port}@{out}/"),
        format!("http://{out}@127.0.0.2:{port}/"),
        format!("//{out}/"),
        format!("/\\{out}/"),
        format!("@{out}/"),
        format!(":{}/", out.port()),
        "/../../etc".to_owned(),
        "/%2e%2e/secret".to_owned(),
        "/a\r\nHost: evil".to_owned(),
        "/a HTTP/1.1\r\nx: y".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.2/".to_owned(),
    ];
    for path in paths {
        refused(
            &ready.told("evil.fetch", json!({ "path": path })).await,
            &path,
        );
    }
    for header in [
        "host",
        "Authorization",
        "cookie",
        "Transfer-Encoding",
        "content-length",
        "proxy-authorization",
    ] {
        let ask = json!({ "path": "/", "headers": [[header, "x"]] });
        refused(&ready.told("evil.fetch", ask).await, header);
    }
    for handle in ["c", "other", "", "target2"] {
        refused(
            &ready
                .told("evil.fetch", json!({ "path": "/", "connection": handle }))
                .await,
            handle,
        );
    }
    assert_eq!(
        trap.connections.load(Ordering::SeqCst) + home.connections.load(Ordering::SeqCst),
        0
    );
    assert_eq!(
        ready.told("evil.fetch", json!({ "path": "/" })).await["body"],
        json!("home")
    );
}

#[tokio::test]
async fn a_redirect_is_followed_only_inside_of_the_connection() {
    let trap = Server::start("127.0.0.1:0", |_| Say::new(200, "caught")).await;
    let home = Server::start("127.0.0.2:0", |asked| match asked.path.split_once("to=") {
        Some((_, "itself")) => Say::new(302, "").header("location", "/open?to=itself"),
        Some((_, target)) => Say::new(302, "").header("location", target),
        None => Say::new(200, "home"),
    })
    .await;
    let (out, port) = (trap.address, home.address.port());
    let mut config = connection(&home.url(), &["127.0.0.2/32"]);
    config.paths = vec!["/open".into()];
    let ready = Ready::new(vec![config]).await;
    let targets = [
        format!("http://{out}/open"),
        format!("//{out}/open"),
        format!("http://127.0.0.1:{port}/open"),
        "http://169.254.169.254/open".to_owned(),
        format!("http://[::1]:{port}/open"),
        format!("http://127.0.0.2:{port}@{out}/open"),
        "/closed".to_owned(),
        "/open/%2e%2e/closed".to_owned(),
        "/open/..%2fclosed".to_owned(),
        format!("https://127.0.0.2:{port}/open"),
        "file:///etc/passwd".to_owned(),
    ];
    for target in targets {
        refused(
            &ready
                .told(
                    "evil.fetch",
                    json!({ "path": format!("/open?to={target}") }),
                )
                .await,
            &target,
        );
    }
    let endless = ready
        .told("evil.fetch", json!({ "path": "/open?to=itself" }))
        .await;
    assert_eq!(endless["kind"], json!("refused"), "{endless}");
    let inside = ready
        .told("evil.fetch", json!({ "path": "/open?to=/open/x" }))
        .await;
    assert_eq!(inside["body"], json!("home"), "{inside}");
    let write = json!({ "path": "/open?to=/open/x", "method": "POST", "reads_only": true });
    assert_eq!(
        ready.told("evil.fetch", write).await["status"],
        json!(302),
        "only a read is sent twice"
    );
    assert_eq!(trap.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_checked_every_time() {
    let home = Server::start("127.0.0.2:0", |_| Say::new(200, "home")).await;
    let trap = Server::start(&format!("127.0.0.1:{}", home.address.port()), |_| {
        Say::new(200, "caught")
    })
    .await;
    let url = format!("http://rebinding.example:{}/", home.address.port());
    let ready = Ready::with_resolver(vec![connection(&url, &["127.0.0.2/32"])], names()).await;
    assert_eq!(
        ready.told("evil.fetch", json!({ "path": "/" })).await["body"],
        json!("home")
    );
    refused(
        &ready.told("evil.fetch", json!({ "path": "/" })).await,
        "the second answer",
    );
    assert_eq!(trap.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_connection_of_another_plugin_is_not_granted() {
    let mut config = connection("http://127.0.0.2:1/", &["127.0.0.2/32"]);
    config.plugin = "practice".into();
    let ready = Ready::new(vec![config]).await;
    let told = ready.told("evil.fetch", json!({ "path": "/" })).await;
    assert_eq!(told["kind"], json!("not_granted"), "{told}");
}

/// Runs this module again where there is no network but loopback.
#[test]
fn nobody_is_reached_without_a_network_either() {
    // Built outside: inside, no registry can be asked.
    crate::component::built();
    let this = std::env::current_exe().unwrap();
    let inner = format!(
        "ip link set lo up && exec '{}' egress:: --skip without_a_network",
        this.display()
    );
    let ran = Command::new("unshare")
        .args(["--net", "--map-root-user", "sh", "-c", &inner])
        .output();
    let ran = ran.expect("`unshare` (util-linux) and `ip` (iproute2) are needed");
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(text.contains("5 passed"), "{text}");
}
