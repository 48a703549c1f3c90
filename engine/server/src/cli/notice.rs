//! `hostler notice`: messages with their delivery, and what templates make.

use super::Context;
use super::show::named;
use crate::client::segment;
use crate::failure::Failure;
use crate::output::Rows;
use crate::times;
use clap::Subcommand;
use hostler_api::services::notices::Preview;
use hostler_core::lane::FellBack;
use hostler_core::view::MailRow;
use hostler_ports::returned::Counts;

#[derive(Subcommand)]
pub enum NoticeCommand {
    /// What a template makes of sample data
    Preview {
        runbook: String,
        /// e.g. maintenance.scheduled
        template: String,
        /// Print the HTML part
        #[arg(long)]
        html: bool,
    },
    /// Messages of a run and what became of them
    List { run: String },
    /// What became of reports about messages that came back, since the server began
    Bounces,
}

pub async fn run(context: &Context, command: NoticeCommand) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        NoticeCommand::Preview {
            runbook,
            template,
            html,
        } => {
            let stage = template
                .rsplit('.')
                .next()
                .unwrap_or("scheduled")
                .to_owned();
            let path = format!(
                "/api/v1/runbooks/{}/notices/{}?stage={}",
                segment(&runbook),
                segment(&template),
                segment(&stage)
            );
            let preview: Preview = client.get(&path).await?;
            let body = if html { &preview.html } else { &preview.text };
            context
                .out
                .one(&format!("Subject: {}\n\n{body}", preview.subject), &preview)
        }
        NoticeCommand::List { run } => {
            let mails: Vec<MailRow> = client.get(&super::run::path(&run, "/notices")).await?;
            context.out.list(&rows(&mails), &mails)
        }
        NoticeCommand::Bounces => {
            let counts: Counts = client.get("/api/v1/notices/bounces").await?;
            let text = format!(
                "{} bounced, {} known before, {} not ours, {} to another recipient, {} not given up, {} unreadable, {} \
                 too early, {} at another address than the message came from",
                counts.bounced,
                counts.known,
                counts.not_ours,
                counts.other_recipient,
                counts.not_failed,
                counts.unreadable,
                counts.not_yet,
                counts.wrong_address
            );
            context.out.one(&text, &counts)
        }
    }
}

fn rows(mails: &[MailRow]) -> Rows {
    let mut rows = Rows::new(&[
        "customer", "stage", "to", "state", "attempts", "queued", "answer",
    ]);
    for mail in mails {
        rows.add(vec![
            mail.customer.clone().unwrap_or_else(|| "staff".to_owned()),
            mail.stage.clone(),
            to(mail),
            mail.state.clone(),
            mail.attempts.to_string(),
            times::local(mail.queued_ms),
            mail.answer.clone().unwrap_or_default(),
        ]);
    }
    rows
}

/// `bob@chem.example (alternate, dead)`.
fn to(mail: &MailRow) -> String {
    let said = [("alternate", mail.alternate), ("dead", mail.dead)];
    let said: Vec<&str> = said.iter().filter(|it| it.1).map(|it| it.0).collect();
    match said.is_empty() {
        true => mail.to.clone(),
        false => format!("{} ({})", mail.to, said.join(", ")),
    }
}

/// `chem: bob told at 2026-12-01 08:00:00, for nobody who has the notices was reached`.
pub(super) fn instead(told: &FellBack) -> String {
    let (customer, at) = (&told.customer, times::local(told.at_ms));
    match told.to.as_slice() {
        [] => format!(
            "{customer}: nobody who has the notices was reached, nor any alternate contact, at {at}"
        ),
        to => format!(
            "{customer}: {} told at {at}, for nobody who has the notices was reached",
            named(to)
        ),
    }
}
