//! The actions against a real Alertmanager and a real Prometheus on loopback.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use hostler_plugin_monitor_alertmanager::PLUGIN;
use hostler_sdk::{
    Call, ExecOutcome, Failure, FailureKind, Grant, Host, HttpRequest, HttpResponse, JournalEntry,
    Level, ProbeKind, ProbeOutcome,
};
use hostler_tests::lab::{Alertmanager, Lab, Prometheus, Target, request};
use serde_json::{Value, json};
use std::net::SocketAddr;

struct Rig {
    alertmanager: Alertmanager,
    prometheus: Prometheus,
    now_ms: i64,
    _lab: Lab,
}

impl Rig {
    #[expect(
        clippy::disallowed_methods,
        reason = "the Alertmanager lives by the real clock"
    )]
    fn start() -> Self {
        let lab = Lab::start().unwrap();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        Self {
            alertmanager: Alertmanager::start(&lab).unwrap(),
            prometheus: Prometheus::start(&lab).unwrap(),
            now_ms: i64::try_from(now.as_millis()).unwrap(),
            _lab: lab,
        }
    }

    fn call(&self, action: &str, asset: &str, key: u32, run: u32) -> Call {
        let mut call = hostler_testkit::call(action);
        call.asset = json!({ "id": asset, "name": asset }).to_string();
        call.grants[0].reference = None;
        call.grants.push(Grant {
            handle: "prometheus".into(),
            connection: "metrics".into(),
            address: None,
            reference: None,
        });
        call.idempotency_key = format!("00000000-0000-5000-8000-{key:012}");
        call.run = format!("00000000-0000-7000-8000-{run:012}");
        call.now_ms = self.now_ms;
        call
    }

    fn perform(&self, action: &str, asset: &str, key: u32, run: u32, input: &Value) -> Value {
        let call = self.call(action, asset, key, run);
        json!(PLUGIN.perform(&call, &mut Http(self), &input.to_string()))
    }

    fn standing(&self) -> usize {
        let silences = self.alertmanager.silences().unwrap();
        silences
            .iter()
            .filter(|silence| silence["status"]["state"] != "expired")
            .count()
    }

    fn loud(&self, instance: &str) -> bool {
        self.alertmanager
            .loud_alerts()
            .unwrap()
            .iter()
            .any(|alert| alert["labels"]["instance"] == instance)
    }
}

/// Plain HTTP to the two servers, without credentials: they have none.
struct Http<'a>(&'a Rig);

fn never<T>() -> Result<T, Failure> {
    Err(Failure {
        kind: FailureKind::NotGranted,
        detail: "not for this plugin".into(),
        maybe_sent: false,
    })
}

impl Host for Http<'_> {
    fn send(&mut self, connection: &str, asked: &HttpRequest) -> Result<HttpResponse, Failure> {
        let address: SocketAddr = match connection {
            "target" => self.0.alertmanager.address(),
            "prometheus" => self.0.prometheus.address(),
            _ => return never(),
        };
        let answer = request(
            address,
            &asked.method,
            &asked.path,
            std::str::from_utf8(&asked.body).unwrap(),
        )
        .unwrap();
        Ok(HttpResponse {
            status: answer.status,
            headers: Vec::new(),
            body: answer.body.into_bytes(),
        })
    }

    fn exec(
        &mut self,
        _: &str,
        _: &str,
        _: &Value,
        _: Option<u32>,
    ) -> Result<ExecOutcome, Failure> {
        never()
    }

    fn probe(&mut self, _: &str, _: ProbeKind) -> Result<ProbeOutcome, Failure> {
        never()
    }

    fn blob_put(&mut self, _: &[u8]) -> Result<String, Failure> {
        never()
    }

    fn blob_get(&mut self, _: &str) -> Result<Vec<u8>, Failure> {
        never()
    }

    fn secret_generate(&mut self, _: &str) -> Result<String, Failure> {
        never()
    }

    fn secret_derive(&mut self, _: &str, _: &str) -> Result<String, Failure> {
        never()
    }

    fn journal(&mut self) -> Vec<JournalEntry> {
        Vec::new()
    }

    fn log(&mut self, _: Level, _: &str) {}

    fn progress(&mut self, _: u8, _: &str) {}
}

#[test]
fn a_silence_is_opened_once_a_key_ends_by_itself_and_is_ended_by_its_run() {
    let rig = Rig::start();
    for instance in ["web.1:9100", "webx1:9100", "web.10"] {
        rig.alertmanager
            .fire(&[("alertname", "Down"), ("instance", instance)])
            .unwrap();
    }
    let opened = rig.perform("monitor.silence", "web.1", 1, 1, &json!({ "for": "90m" }));
    assert_eq!(opened["answer"], "done", "{opened}");
    assert_eq!(
        (
            rig.loud("web.1:9100"),
            rig.loud("webx1:9100"),
            rig.loud("web.10")
        ),
        (false, true, true)
    );
    // The same key again, as after a lost answer: the same silence.
    let again = rig.perform("monitor.silence", "web.1", 1, 1, &json!({ "for": "90m" }));
    assert_eq!(again["output"], opened["output"], "{again}");
    let observed = PLUGIN.observe(
        &rig.call("monitor.silence", "web.1", 1, 1),
        &mut Http(&rig),
        r#"{"for":"90m"}"#,
        None,
    );
    assert_eq!(json!(observed)["output"], opened["output"]);
    assert_eq!(rig.standing(), 1);
    // Longer: the same one, extended.
    let longer = rig.perform("monitor.silence", "web.1", 1, 1, &json!({ "for": "3h" }));
    assert_eq!(
        (&longer["output"], rig.standing()),
        (&opened["output"], 1),
        "{longer}"
    );
    // Another step and another run have their own.
    rig.perform("monitor.silence", "web.1", 2, 1, &json!({ "for": "1h" }));
    rig.perform("monitor.silence", "web.1", 3, 2, &json!({ "for": "1h" }));
    assert_eq!(rig.standing(), 3);

    for _ in 0..2 {
        let ended = rig.perform("monitor.unsilence", "web.1", 4, 1, &json!({}));
        assert_eq!(ended["answer"], "done", "{ended}");
        assert_eq!(rig.standing(), 1, "the other run's stands");
    }
    let theirs = rig.perform("monitor.unsilence", "web.10", 5, 1, &opened["output"]);
    assert_eq!(
        theirs["answer"], "reject",
        "the silence of another asset: {theirs}"
    );
    let over = rig.perform("monitor.unsilence", "web.1", 6, 1, &opened["output"]);
    assert_eq!(over["answer"], "done", "{over}");
    rig.perform("monitor.unsilence", "web.1", 7, 2, &json!({}));
    assert!(rig.loud("web.1:9100"));
}

#[test]
fn a_silence_that_a_person_made_is_never_ended() {
    let rig = Rig::start();
    let theirs = json!({
        "matchers": [{ "name": "instance", "value": "web1(:[0-9]+)?", "isRegex": true, "isEqual": true }],
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z", "createdBy": "ada",
        "comment": "run=00000000-0000-7000-8000-000000000001 asset=web1 key=x"
    });
    let posted = request(
        rig.alertmanager.address(),
        "POST",
        "/api/v2/silences",
        &theirs.to_string(),
    )
    .unwrap();
    let id = posted.json().unwrap()["silenceID"].clone();
    assert_eq!(
        rig.perform("monitor.unsilence", "web1", 1, 1, &json!({}))["answer"],
        "done"
    );
    assert_eq!(
        rig.perform("monitor.unsilence", "web1", 1, 1, &json!({ "silence": id }))["answer"],
        "reject"
    );
    assert_eq!(rig.standing(), 1);
}

#[test]
fn only_what_is_watched_up_and_quiet_is_healthy() {
    let rig = Rig::start();
    let target = |instance: &str, up| Target {
        instance: instance.into(),
        up,
    };
    rig.prometheus
        .set_targets(&[target("web1:9100", true), target("db1:9100", false)])
        .unwrap();
    let ask = |asset: &str| rig.perform("monitor.healthy", asset, 1, 1, &json!({}));
    assert_eq!(ask("web1")["answer"], "done", "{}", ask("web1"));
    assert!(
        ask("db1")["reason"]
            .as_str()
            .unwrap()
            .contains("down: db1:9100"),
        "{}",
        ask("db1")
    );
    assert!(
        ask("nobody")["reason"]
            .as_str()
            .unwrap()
            .contains("nobody watches it"),
        "{}",
        ask("nobody")
    );
    rig.alertmanager
        .fire(&[("alertname", "DiskFull"), ("instance", "web1:9100")])
        .unwrap();
    assert!(
        ask("web1")["reason"].as_str().unwrap().contains("DiskFull"),
        "{}",
        ask("web1")
    );
    rig.perform("monitor.silence", "web1", 2, 1, &json!({ "for": "1h" }));
    assert_eq!(ask("web1")["answer"], "done", "{}", ask("web1"));
    // Nothing has ever probed it: that is not an answer from outside.
    assert_eq!(
        rig.perform("monitor.probe", "web1", 3, 1, &json!({ "vantages": 2 }))["answer"],
        "reject"
    );
}
