//! What the services of the lab can do.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use hostler_tests::lab::{
    Alertmanager, Lab, Prometheus, RedisPlan, RedisServer, Signal, SmtpSink, Target, request,
};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn two_labs_never_share_an_address() {
    let (one, two) = (Lab::start().unwrap(), Lab::start().unwrap());
    assert_ne!(one.host_address(1), two.host_address(1));
    assert_ne!(one.service_address(), one.service_address());
}

#[test]
fn redis_keeps_synced_writes_over_a_crash() {
    let lab = Lab::start().unwrap();
    let mut redis = RedisPlan::default()
        .option("appendfsync", "always")
        .start(&lab)
        .unwrap();
    assert_eq!(redis.ask("SET kept yes").unwrap(), "+OK\r\n");
    assert!(
        redis
            .ask("CONFIG GET maxmemory-policy")
            .unwrap()
            .contains("noeviction")
    );
    redis.crash().unwrap();
    assert!(
        redis.ask("GET kept").is_err(),
        "a crashed server must not answer"
    );
    redis.restart().unwrap();
    assert_eq!(redis.ask("GET kept").unwrap(), "$3\r\nyes\r\n");
}

#[test]
fn redis_stands_still_and_goes_on() {
    let lab = Lab::start().unwrap();
    let mut redis = RedisServer::start(&lab).unwrap();
    redis.signal(Signal::Stop).unwrap();
    assert!(
        redis.ask("PING").is_err(),
        "a stopped server must stay silent"
    );
    redis.signal(Signal::Continue).unwrap();
    assert_eq!(redis.ask("PING").unwrap(), "+PONG\r\n");
    let address = redis.address();
    drop(redis);
    assert!(
        TcpStream::connect(address).is_err(),
        "a dropped server must not listen"
    );
}

#[test]
fn alertmanager_silences_an_alert_that_fires() {
    let lab = Lab::start().unwrap();
    let alertmanager = Alertmanager::start(&lab).unwrap();
    alertmanager
        .fire(&[("alertname", "Down"), ("instance", "web1")])
        .unwrap();
    assert!(
        hostler_tests::lab::until(LIMIT, || {
            alertmanager
                .loud_alerts()
                .ok()
                .filter(|alerts| alerts.len() == 1)
        })
        .is_some()
    );
    let silence = json!({
        "matchers": [{"name": "instance", "value": "web1", "isRegex": false, "isEqual": true}],
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
        "createdBy": "lab", "comment": "lab",
    });
    let answer = request(
        alertmanager.address(),
        "POST",
        "/api/v2/silences",
        &silence.to_string(),
    );
    assert_eq!(answer.unwrap().status, 200);
    assert!(alertmanager.loud_alerts().unwrap().is_empty());
    assert_eq!(
        alertmanager.silences().unwrap()[0]["status"]["state"],
        "active"
    );
    let answer = request(alertmanager.address(), "POST", "/api/v2/silences", "{");
    assert_eq!(answer.unwrap().status, 400);
}

#[test]
fn prometheus_records_who_is_up_and_says_nothing_of_strangers() {
    let lab = Lab::start().unwrap();
    let prometheus = Prometheus::start(&lab).unwrap();
    let target = |instance: &str, up| Target {
        instance: instance.to_owned(),
        up,
    };
    prometheus
        .set_targets(&[target("web1", true), target("web2", false)])
        .unwrap();
    assert_eq!(prometheus.query("up == 1").unwrap().len(), 1);
    assert!(
        prometheus
            .query("up{instance=\"stranger\"}")
            .unwrap()
            .is_empty()
    );
    prometheus.set_targets(&[target("web1", false)]).unwrap();
    assert_eq!(
        prometheus.query("up{instance=\"web1\"}").unwrap()[0]["value"][1],
        "0"
    );
}

/// Speaks SMTP line by line; gives the code of each answer.
fn speak(address: SocketAddr, lines: &[&str]) -> Vec<u16> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut codes = Vec::new();
    for line in std::iter::once(&"").chain(lines) {
        if !line.is_empty() {
            write!(&stream, "{line}\r\n").unwrap();
        }
        let mut answer = String::new();
        while answer.get(3..4) != Some(" ") {
            answer.clear();
            assert_ne!(
                answers.read_line(&mut answer).unwrap(),
                0,
                "the server hung up after {line}"
            );
        }
        codes.push(answer[..3].parse().unwrap());
    }
    codes
}

#[test]
fn the_mail_server_stores_what_it_accepts_and_refuses_what_it_shall() {
    let lab = Lab::start().unwrap();
    let sink = SmtpSink::start(&lab).unwrap();
    let dialogue = [
        "EHLO lab",
        "MAIL FROM:<hostler@example.invalid>",
        "RCPT TO:<refuse-me@example.invalid>",
        "RCPT TO:<later-me@example.invalid>",
        "RCPT TO:<ops@example.invalid>",
        "DATA",
        "Subject: hello\r\n\r\nworld\r\n.",
        "QUIT",
    ];
    assert_eq!(
        speak(sink.address(), &dialogue),
        [220, 250, 250, 550, 451, 250, 354, 250, 221]
    );
    let mails = sink.wait_for(1, LIMIT).unwrap();
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].from.as_str(), mails[0].tls),
        ("hostler@example.invalid", false)
    );
    assert_eq!(mails[0].to, ["ops@example.invalid"]);
    assert!(mails[0].text.contains("Subject: hello") && mails[0].text.contains("world"));
}

#[test]
fn a_mail_server_with_tls_takes_no_mail_in_the_clear() {
    let lab = Lab::start().unwrap();
    let sink = SmtpSink::start_with_tls(&lab).unwrap();
    let codes = speak(
        sink.address(),
        &["EHLO lab", "MAIL FROM:<a@example.invalid>", "STARTTLS"],
    );
    assert_eq!(codes, [220, 250, 530, 220]);
    assert!(
        std::fs::read_to_string(sink.certificate().unwrap())
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
}
