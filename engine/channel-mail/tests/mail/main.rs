//! Notices by mail from outside: rendering, composing, delivery to a real SMTP server, the catcher.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod composing;
mod delivery;
mod intake;
mod rendering;
mod reporting;
mod sinking;
mod unsubscribing;

use hostler_channel_mail::Sender;
use hostler_ports::channel::Message;
use hostler_ports::clock::Clock;

/// A clock that stands still.
pub struct Still;

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        1_790_000_000_000
    }

    fn monotonic_ms(&self) -> i64 {
        0
    }
}

pub fn sender() -> Sender {
    Sender {
        name: "Platform team".to_owned(),
        address: "platform@hostler.example".to_owned(),
        reply_to: Some("help@hostler.example".to_owned()),
        list_id: "notices.hostler.example".to_owned(),
        return_path: Some("bounces@hostler.example".to_owned()),
        signs: false,
    }
}

pub const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:PUBLISH\r\nBEGIN:VEVENT\r\nUID:u@h\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

pub fn message() -> Message {
    Message {
        message_id: "run-1.chem.2@hostler.example".to_owned(),
        references: vec![
            "run-1.chem.0@hostler.example".to_owned(),
            "run-1.chem.1@hostler.example".to_owned(),
        ],
        to_name: "Ada Lovelace".to_owned(),
        to_address: "ada@chem.example".to_owned(),
        subject: "Maintenance on Sunday – 2 servers".to_owned(),
        text: "Dear Ada,\n.\nweb1 and web2 restart.\n".to_owned(),
        html: "<p>Dear Ada</p>".to_owned(),
        calendar: Some(CALENDAR.to_owned()),
        unsubscribe: None,
        return_tag: None,
    }
}
