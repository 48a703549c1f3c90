//! Reports of mail servers, as some of them write them, and what is none.

use hostler_channel_mail::report::read;

const POSTFIX: &str = "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail Returned to Sender\r\n\
MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"4F2.17/mx.example\"\r\n\r\n\
This is a MIME-encapsulated message.\r\n\r\n--4F2.17/mx.example\r\nContent-Description: Notification\r\n\
Content-Type: text/plain; charset=us-ascii\r\n\r\nI'm sorry.\r\n\r\n--4F2.17/mx.example\r\n\
Content-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\
Arrival-Date: Mon, 23 Nov 2026 04:00:00 +0000 (UTC)\r\n\r\nFinal-Recipient: rfc822; a.lovelace@chem.example\r\n\
Original-Recipient: rfc822;ada@chem.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\
Diagnostic-Code: smtp; 550 5.1.1 <a.lovelace@chem.example>:\r\n    Recipient address rejected\r\n\r\n\
--4F2.17/mx.example\r\nContent-Description: Undelivered Message\r\nContent-Type: message/rfc822\r\n\r\n\
From: platform@hostler.example\r\nMessage-ID: <run-1.chem@main.hostler>\r\nSubject: Maintenance\r\n\r\nDear Ada\r\n\r\n\
--4F2.17/mx.example--\r\n";

#[test]
fn a_report_names_its_message_its_recipient_and_why() {
    let returned = read(POSTFIX.as_bytes()).unwrap();
    assert_eq!(returned.message_id, "run-1.chem@main.hostler");
    let [told] = &returned.recipients[..] else {
        panic!("{returned:?}")
    };
    assert_eq!(
        told.addresses,
        ["ada@chem.example", "a.lovelace@chem.example"]
    );
    assert_eq!((told.failed, &*told.status), (true, "5.1.1"));
    assert!(told.diagnostic.contains("Recipient address rejected"));
    assert!(!told.diagnostic.contains('\n'), "{}", told.diagnostic);
}

#[test]
fn headers_alone_and_bare_line_ends_are_enough() {
    let headers = POSTFIX
        .replace("message/rfc822", "text/rfc822-headers")
        .replace("\r\n", "\n")
        .replace("Status: 5.1.1", "Status: 4.4.7 (delivery time expired)");
    let returned = read(headers.as_bytes()).unwrap();
    assert_eq!(returned.recipients[0].status, "4.4.7");
    let delayed = POSTFIX.replace("Action: failed", "Action: delayed");
    assert!(!read(delayed.as_bytes()).unwrap().recipients[0].failed);
}

#[test]
fn what_is_no_report_of_a_delivery_is_refused_with_the_reason() {
    for (from, to, why) in [
        ("multipart/report", "multipart/mixed", "multipart/report"),
        (
            "=delivery-status;",
            "=disposition-notification;",
            "report-type",
        ),
        ("message/delivery-status", "text/plain", "delivery-status"),
        ("Action: failed\r\n", "", "no recipient"),
        ("Status: 5.1.1", "Status: <b>", "no recipient"),
        ("message/rfc822", "text/plain", "not part of it"),
        (
            "Message-ID: <run-1.chem@main.hostler>\r\n",
            "",
            "no Message-ID",
        ),
    ] {
        let text = POSTFIX.replace(from, to);
        assert_ne!(text, POSTFIX, "{from}");
        let fault = read(text.as_bytes()).unwrap_err();
        assert!(fault.contains(why), "{from}: {fault}");
    }
}

#[test]
fn no_size_and_no_nesting_exhausts_the_reader() {
    let long = POSTFIX.replace("smtp; 550", &format!("smtp; {}", "x".repeat(100_000)));
    let returned = read(long.as_bytes()).unwrap();
    assert_eq!(returned.recipients[0].diagnostic.chars().count(), 400);
    assert!(read(&vec![b'x'; 2 << 20]).is_err());
    let nested: String = (0..10_000)
        .map(|n| format!("Content-Type: multipart/report; report-type=delivery-status; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    assert!(read(nested.as_bytes()).is_err());
}

/// Any beginning and any broken byte of a report is read or refused, never fallen over.
#[test]
fn cut_or_broken_anywhere_it_is_read_or_refused() {
    let bytes = POSTFIX.as_bytes();
    for cut in 0..bytes.len() {
        let _ = read(&bytes[..cut]);
        let mut broken = bytes.to_vec();
        broken[cut] ^= 0x80;
        let _ = read(&broken);
    }
}
