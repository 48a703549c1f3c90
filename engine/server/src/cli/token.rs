//! `hostler token`: who may come in. Works on the tokens file; a running engine reads it within seconds.

use super::run::duration;
use super::{Context, step_up};
use crate::clock::{SystemClock, SystemIds};
use crate::compose::engine;
use crate::config::Config;
use crate::dev::state::private;
use crate::failure::Failure;
use crate::output::{Rows, print};
use crate::times;
use anyhow::Context as _;
use clap::Subcommand;
use hostler_api::suggest;
use hostler_api::tokens::{Entry, Tokens};
use hostler_core::directory::Directory;
use hostler_estate::Estate;
use hostler_ports::clock::Clock;
use serde_json::{Value, json};
use std::path::Path;

#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token for a person of the estate; it is shown once and kept as a hash
    New {
        // An id of its own: `person` is the global option's.
        #[arg(id = "of", value_name = "PERSON")]
        person: String,
        /// How long it counts
        #[arg(long, default_value = "90d", value_name = "DURATION")]
        expires: String,
        /// What it is for
        #[arg(long)]
        note: Option<String>,
    },
    /// Make the address of a customer's calendar feed; it is shown once and its key kept as a hash
    Feed {
        customer: String,
        /// What it is for
        #[arg(long)]
        note: Option<String>,
    },
    /// Take away all keys of a customer's calendar feed
    RevokeFeed { customer: String },
    /// Make the second factor of a person for an authenticator app; it is shown once
    StepUp {
        #[arg(id = "of", value_name = "PERSON")]
        person: String,
        /// Take it away
        #[arg(long)]
        remove: bool,
    },
    /// Whose tokens there are, without the tokens; and who has a second factor
    List,
    /// Take away all tokens of a person
    Revoke {
        #[arg(id = "of", value_name = "PERSON")]
        person: String,
    },
}

pub fn run(context: &Context, command: TokenCommand) -> Result<(), Failure> {
    let config = context.config()?;
    let path = Path::new(&config.server.tokens_file);
    let mut tokens = read(path)?;
    match command {
        TokenCommand::New {
            person,
            expires,
            note,
        } => {
            of_estate(&config, &person)?;
            let expires_ms = SystemClock::new()
                .now_ms()
                .saturating_add_unsigned(duration(&expires)?);
            let token = tokens.issue(&SystemIds, &person, Some(expires_ms), note);
            write(path, &tokens)?;
            context.out.note(&format!(
                "counts until {}; it is not shown again",
                times::local(expires_ms)
            ));
            print(&token)
        }
        TokenCommand::Feed { customer, note } => {
            let estate =
                engine::estate(&config).map_err(|fault| Failure::Invalid(format!("{fault:#}")))?;
            let known = estate.customers.keys().map(String::as_str);
            let known: Vec<&str> = known.collect();
            if !known.contains(&&*customer) {
                let remedy = suggest::remedy(&customer, &known);
                return Err(Failure::Usage(format!(
                    "the estate has no customer {customer}: {remedy}"
                )));
            }
            let key = tokens.issue_feed(&SystemIds, &customer, note);
            write(path, &tokens)?;
            context.out.note(&format!(
                "whoever has it sees what {customer} was told; it is not shown again: hostler token revoke-feed {customer}"
            ));
            let base = match config.server.public_url.trim_end_matches('/') {
                "" => config.url(),
                base => base.to_owned(),
            };
            print(&format!(
                "{base}/api/v1/customers/{customer}/calendar.ics?token={key}"
            ))
        }
        TokenCommand::RevokeFeed { customer } => {
            let count = tokens.revoke_feed(&customer);
            write(path, &tokens)?;
            context.out.note(&format!(
                "{count} keys of the feed of {customer} count no more"
            ));
            Ok(())
        }
        TokenCommand::StepUp {
            person,
            remove: true,
        } => step_up::remove(context, &person),
        TokenCommand::StepUp { person, .. } => step_up::enrol(context, &person),
        TokenCommand::List => {
            let enrolled = step_up::listed(&config)?;
            let entries: Vec<_> = tokens.entries().cloned().collect();
            let mut rows = Rows::new(&["person", "until", "note", "sha256", "step-up"]);
            for entry in &entries {
                let until = entry.expires_ms.map(times::local).unwrap_or_default();
                let note = entry.note.clone().unwrap_or_default();
                rows.add(vec![
                    entry.person.clone(),
                    until,
                    note,
                    entry.sha256.short(),
                    step_up::word(&enrolled, &entry.person),
                ]);
            }
            let others = step_up::others(&enrolled, &tokens, &mut rows);
            let feeds: Vec<_> = tokens.feeds().cloned().collect();
            for feed in &feeds {
                let note = feed.note.clone().unwrap_or_default();
                let whose = format!("feed of {}", feed.customer);
                rows.add(vec![
                    whose,
                    String::new(),
                    note,
                    feed.sha256.short(),
                    String::new(),
                ]);
            }
            let with_word = |entry: &Entry| {
                let mut entry_of = json!(entry);
                entry_of["step_up"] = json!(enrolled.has(&entry.person));
                entry_of
            };
            let all = entries.iter().map(with_word).chain(others);
            let all: Vec<Value> = all.chain(feeds.iter().map(|feed| json!(feed))).collect();
            context.out.list(&rows, &all)
        }
        TokenCommand::Revoke { person } => {
            let count = tokens.revoke(&person);
            write(path, &tokens)?;
            context
                .out
                .note(&format!("{count} tokens of {person} count no more"));
            Ok(())
        }
    }
}

/// The estate, if it has this person.
pub(super) fn of_estate(config: &Config, person: &str) -> Result<Estate, Failure> {
    let estate = engine::estate(config).map_err(|fault| Failure::Invalid(format!("{fault:#}")))?;
    if estate.person(person).is_some() {
        return Ok(estate);
    }
    let people = estate.people();
    let known: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
    let remedy = suggest::remedy(person, &known);
    Err(Failure::Usage(format!(
        "the estate has no {person}: {remedy}"
    )))
}

fn read(path: &Path) -> Result<Tokens, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Tokens::parse(&text).with_context(|| path.display().to_string())?),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(Tokens::default()),
        Err(fault) => Err(Failure::Invalid(format!("{}: {fault}", path.display()))),
    }
}

fn write(path: &Path, tokens: &Tokens) -> Result<(), Failure> {
    let text = tokens.to_text().context("tokens")?;
    Ok(private(path, &text).with_context(|| path.display().to_string())?)
}
