//! `hostler token step-up`: the second factor of a person, made and taken away. Works on its file; a running engine
//! reads that within seconds.
//!
//! Not here: which approvals want a code (policies), and codes.

use super::Context;
use super::token::of_estate;
use crate::clock::SystemIds;
use crate::compose::step_up;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Rows, print};
use hostler_api::step_up::Enrolled;
use hostler_api::tokens::Tokens;
use hostler_core::directory::Directory;
use serde_json::{Value, json};
use std::path::Path;

/// Shows a new secret, once.
pub fn enrol(context: &Context, person: &str) -> Result<(), Failure> {
    let config = context.config()?;
    let estate = of_estate(&config, person)?;
    let path = Path::new(&config.server.step_up_file);
    let mut enrolled = read(path)?;
    // Else whoever makes one for somebody by mistake takes away the one that they use.
    if enrolled.has(person) {
        return Err(Failure::Usage(format!(
            "{person} is enrolled already: to begin anew, take that one away: hostler token step-up {person} --remove"
        )));
    }
    let secret = enrolled.enrol(&SystemIds, person);
    step_up::write(path, &enrolled)?;
    context.out.note(&format!(
        "give it to {person} and nobody else: the address as a QR code, or the text below it, for an authenticator app; it is not shown again"
    ));
    print(&secret.uri(estate.realm(), person))?;
    print(&secret.text())
}

pub fn remove(context: &Context, person: &str) -> Result<(), Failure> {
    let config = context.config()?;
    let path = Path::new(&config.server.step_up_file);
    let mut enrolled = read(path)?;
    let note = if enrolled.remove(person) {
        step_up::write(path, &enrolled)?;
        format!("codes of {person} count no more")
    } else {
        format!("{person} was not enrolled")
    };
    context.out.note(&note);
    Ok(())
}

/// Who is enrolled, told beside the tokens: whoever decides by links may have none.
pub fn listed(config: &Config) -> Result<Enrolled, Failure> {
    read(Path::new(&config.server.step_up_file))
}

fn read(path: &Path) -> Result<Enrolled, Failure> {
    step_up::read(path).map_err(|fault| Failure::Invalid(format!("{fault:#}")))
}

/// The word for a row of the list.
pub fn word(enrolled: &Enrolled, person: &str) -> String {
    let word = if enrolled.has(person) { "yes" } else { "no" };
    word.to_owned()
}

/// Those who are enrolled and have no token.
pub fn others(enrolled: &Enrolled, tokens: &Tokens, rows: &mut Rows) -> Vec<Value> {
    let has_token = |person: &str| tokens.entries().any(|entry| entry.person == person);
    let others = enrolled.people().filter(|person| !has_token(person));
    let row = |person: &str| {
        let blank = String::new;
        rows.add(vec![
            person.to_owned(),
            blank(),
            blank(),
            blank(),
            word(enrolled, person),
        ]);
        json!({ "person": person, "step_up": true })
    };
    others.map(row).collect()
}
