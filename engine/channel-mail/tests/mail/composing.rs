//! Messages → bytes: what is in them, and what cannot get in.

use crate::{message, sender};
use hostler_channel_mail::Caught;
use hostler_channel_mail::compose::{ComposeFault, Composed, compose};
use hostler_core::id::Digest;
use hostler_ports::channel::Message;
use proptest::prelude::*;

fn composed(message: &Message) -> Result<Composed, ComposeFault> {
    compose(&sender(), message, 1_790_000_000_000)
}

fn read(composed: &Composed) -> Caught {
    Caught {
        number: 1,
        from: String::new(),
        to: Vec::new(),
        bytes: composed.bytes.clone(),
    }
}

fn names(caught: &Caught) -> Vec<String> {
    caught.headers().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_message_has_its_thread_its_marks_and_three_parts() {
    let composed = composed(&message()).unwrap();
    assert_eq!(composed.sha256, Digest::of(&composed.bytes));
    let caught = read(&composed);
    for (name, value) in [
        ("Message-ID", "<run-1.chem.2@hostler.example>"),
        ("In-Reply-To", "<run-1.chem.1@hostler.example>"),
        (
            "References",
            "<run-1.chem.0@hostler.example> <run-1.chem.1@hostler.example>",
        ),
        ("Auto-Submitted", "auto-generated"),
        ("List-Id", "<notices.hostler.example>"),
        ("Subject", "Maintenance on Sunday – 2 servers"),
        ("From", "\"Platform team\" <platform@hostler.example>"),
        ("Reply-To", "\"Platform team\" <help@hostler.example>"),
        ("To", "\"Ada Lovelace\" <ada@chem.example>"),
        ("Date", "Mon, 21 Sep 2026 14:13:20 +0000"),
    ] {
        assert_eq!(caught.header(name).as_deref(), Some(value), "{name}");
    }
    let parts = caught.parts();
    let kinds: Vec<&str> = parts.iter().map(|part| part.kind.as_str()).collect();
    assert_eq!(kinds, ["text/plain", "text/html", "text/calendar"]);
    assert_eq!(parts[0].text.replace("\r\n", "\n"), message().text);
    assert_eq!(
        (parts[2].method.as_deref(), parts[2].file_name.as_deref()),
        (Some("PUBLISH"), Some("maintenance.ics"))
    );
    assert_eq!(parts[2].text, crate::CALENDAR);
}

#[test]
fn the_same_message_gives_the_same_bytes() {
    assert_eq!(
        composed(&message()).unwrap().bytes,
        composed(&message()).unwrap().bytes
    );
}

#[test]
fn a_first_message_begins_a_thread_and_a_long_one_keeps_its_ends() {
    let first = composed(&Message {
        references: vec![],
        calendar: None,
        html: String::new(),
        ..message()
    })
    .unwrap();
    let caught = read(&first);
    assert_eq!(
        (caught.header("References"), caught.header("In-Reply-To")),
        (None, None)
    );
    assert_eq!(caught.parts().len(), 1);
    let ids: Vec<String> = (0..100).map(|n| format!("m{n}@h.example")).collect();
    let long = read(
        &composed(&Message {
            references: ids,
            ..message()
        })
        .unwrap(),
    )
    .header("References")
    .unwrap();
    let kept: Vec<&str> = long.split_whitespace().collect();
    assert_eq!(
        (kept.len(), kept[0], kept[1], kept[19]),
        (20, "<m0@h.example>", "<m81@h.example>", "<m99@h.example>")
    );
}

/// Texts that would begin a header, a part, a recipient or a command.
const HOSTILE: &[&str] = &[
    "x\r\nBcc: evil@x.example",
    "x\nBcc: evil@x.example",
    "x\rBcc: evil@x.example",
    "x\u{2028}Bcc: evil@x.example",
    "x\u{85}Bcc: evil@x.example",
    "x\u{0}y",
    "x\u{b}Bcc: e",
    "x\r\n\r\nbody",
    "=?utf-8?q?x=0D=0ABcc:_evil@x.example?=",
    "x\" <evil@x.example>, \"y",
    "x>, <evil@x.example",
    "x\u{2029}y",
    "x\r\n .\r\n",
];

#[test]
fn no_field_can_add_a_header_or_a_recipient() {
    let good = names(&read(&composed(&message()).unwrap()));
    type Put = fn(&mut Message, String);
    let fields: [(&str, Put); 5] = [
        ("subject", |message, text| message.subject = text),
        ("to_name", |message, text| message.to_name = text),
        ("to_address", |message, text| message.to_address = text),
        ("message_id", |message, text| {
            message.message_id = format!("{text}@h.example")
        }),
        ("references", |message, text| {
            message.references = vec![format!("{text}@h.example")]
        }),
    ];
    for (field, put) in fields {
        for hostile in HOSTILE {
            let mut message = message();
            put(&mut message, (*hostile).to_owned());
            let breaks =
                hostile.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
            match composed(&message) {
                Err(_) => {}
                Ok(_) if breaks => panic!("{field} took {hostile:?}"),
                Ok(composed) => {
                    assert_eq!(names(&read(&composed)), good, "{field}: {hostile:?}");
                    assert_eq!(
                        composed.to.to_string(),
                        "ada@chem.example",
                        "{field}: {hostile:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_no_message_is_refused_with_its_remedy() {
    let cases: Vec<(Message, &str)> = vec![
        (
            Message {
                text: " \n".to_owned(),
                ..message()
            },
            "the text is empty",
        ),
        (
            Message {
                subject: String::new(),
                ..message()
            },
            "the subject is empty",
        ),
        (
            Message {
                calendar: Some("BEGIN:VEVENT".to_owned()),
                ..message()
            },
            "METHOD:PUBLISH",
        ),
        (
            Message {
                text: "x".repeat(3_000_000),
                ..message()
            },
            "at most 2097152",
        ),
        (
            Message {
                to_address: "ada@chem.example, eve@x.example".to_owned(),
                ..message()
            },
            "no plain mail address",
        ),
        (
            Message {
                to_address: "adä@chem.example".to_owned(),
                ..message()
            },
            "no plain mail address",
        ),
        (
            Message {
                message_id: "no host".to_owned(),
                ..message()
            },
            "message id",
        ),
    ];
    for (message, why) in cases {
        let fault = composed(&message).unwrap_err().to_string();
        assert!(fault.contains(why), "{fault}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_arrives_as_it_was_or_is_refused(subject in "\\PC{1,80}", name in "\\PC{0,60}", text in "(?s).{1,300}", html in "(?s).{0,300}") {
        let sent = Message { subject, to_name: name, text, html, ..message() };
        if let Ok(composed) = composed(&sent) {
            prop_assert!(composed.bytes.is_ascii());
            prop_assert!(composed.bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
            let caught = read(&composed);
            prop_assert_eq!(names(&caught), names(&read(&self::composed(&message()).unwrap())));
            prop_assert_eq!(composed.to.to_string(), "ada@chem.example");
            let parts = caught.parts();
            prop_assert_eq!(parts[parts.len() - 1].kind.as_str(), "text/calendar");
        }
    }
}
