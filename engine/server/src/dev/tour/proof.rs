//! What the tour proves at its end: messages as they were caught, and the evidence.

use super::{CANARY, expect, unexpected, until};
use crate::cli::Context;
use crate::cli::show;
use crate::client::Client;
use crate::dev::start::Practice;
use crate::failure::Failure;
use hostler_api::services::evidence::Evidence;
use hostler_core::id::{Digest, RunId};
use hostler_core::view::MailRow;

pub(super) async fn mails(
    context: &Context,
    practice: &Practice,
    client: &Client,
    run: RunId,
) -> Result<Vec<MailRow>, Failure> {
    let mails = until("the last message", || async {
        let mails: Vec<MailRow> = client.get(&format!("/api/v1/runs/{run}/notices")).await?;
        let reported = mails.iter().any(|mail| mail.customer.is_none());
        Ok((reported && mails.iter().all(|mail| mail.state != "queued")).then_some(mails))
    })
    .await?;
    let bad: Vec<_> = mails
        .iter()
        .filter(|mail| mail.state != "accepted")
        .map(|mail| mail.to.clone())
        .collect();
    expect(bad.is_empty(), format!("not accepted: {bad:?}"))?;
    for stage in ["scheduled", "started", "completed"] {
        for customer in practice.directory.customers() {
            let told = mails
                .iter()
                .any(|mail| mail.stage == stage && mail.customer.as_deref() == Some(&customer));
            expect(told, format!("{customer} was not told: {stage}"))?;
        }
    }
    show_mail(context, practice, &mails)?;
    Ok(mails)
}

/// One caught message, as its reader sees it, with its calendar file.
fn show_mail(context: &Context, practice: &Practice, mails: &[MailRow]) -> Result<(), Failure> {
    let caught = practice.sink.caught();
    let of = |mail: &MailRow| {
        caught.iter().find(|caught| {
            caught
                .header("Message-ID")
                .is_some_and(|id| id.contains(&mail.message_id))
        })
    };
    for mail in mails {
        let caught = of(mail).ok_or_else(|| {
            unexpected(format!("{} was accepted but not caught", mail.message_id))
        })?;
        let same = mail.sha256.as_deref() == Some(&Digest::of(&caught.bytes).to_string());
        expect(
            same,
            format!(
                "the evidence of {} is not the hash of its bytes",
                mail.message_id
            ),
        )?;
    }
    let announced = mails
        .iter()
        .filter(|mail| mail.stage == "scheduled")
        .find_map(of);
    let announced = announced.ok_or_else(|| unexpected("nothing was announced".to_owned()))?;
    let calendar = announced
        .parts()
        .into_iter()
        .find(|part| part.kind == "text/calendar");
    let calendar =
        calendar.ok_or_else(|| unexpected("the announcement has no calendar file".to_owned()))?;
    expect(
        calendar.method.as_deref() == Some("PUBLISH"),
        "the calendar file publishes",
    )?;
    let start = calendar
        .text
        .lines()
        .find(|line| line.starts_with("DTSTART"))
        .unwrap_or_default()
        .to_owned();
    context.out.note(&format!(
        "   {} messages, e.g. to {}\n   Subject: {}\n   calendar file: {start}",
        mails.len(),
        announced.to.join(", "),
        announced.header("Subject").unwrap_or_default(),
    ));
    for line in announced.text("text/plain").unwrap_or_default().lines() {
        context.out.note(&format!("   | {line}"));
    }
    Ok(())
}

pub(super) async fn evidence(
    context: &Context,
    practice: &Practice,
    run: RunId,
    mails: Vec<MailRow>,
) -> Result<(), Failure> {
    let audrey = practice.client("audrey")?;
    let bundle: Evidence = audrey.get(&format!("/api/v1/runs/{run}/evidence")).await?;
    expect(bundle.limits.is_empty(), "nothing was left out")?;
    expect(
        bundle.plan.digest().to_string() == bundle.plan_digest,
        "the plan has the digest that was signed",
    )?;
    expect(
        bundle.notices.len() == mails.len(),
        "all messages are in the bundle",
    )?;
    let changed = bundle
        .changes
        .iter()
        .filter(|change| change.asset == CANARY)
        .count();
    expect(
        changed > 0,
        format!("{CANARY}'s versions before and after are in the bundle"),
    )?;
    let excluded = bundle.changes.iter().any(|change| change.name == "samba");
    expect(!excluded, "the package that pat left out was not installed")?;
    let votes = bundle
        .ledger
        .iter()
        .filter(|row| row.body.to_string().contains("\"carla\""))
        .count();
    expect(votes > 0, "carla's approval is in the ledger")?;
    let ordered = bundle
        .ledger
        .windows(2)
        .all(|pair| pair[0].number < pair[1].number);
    expect(ordered, "the ledger's numbers rise")?;
    context.out.note(&format!(
        "   plan {}, {} ledger entries, {} changes on {} lanes, {} messages\n   all of it: hostler run evidence {}",
        &bundle.plan_digest[..12],
        bundle.ledger.len(),
        bundle.changes.len(),
        bundle.lanes.len(),
        bundle.notices.len(),
        show::short(run),
    ));
    Ok(())
}
