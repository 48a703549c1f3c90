//! Who votes in whose place. The two of them are one voice: whoever comes second has decided already.
//!
//! Not here: who is whose delegate, and on which dates (the estate; the door asks it). Forms and ways out of doubts
//! are not handed to delegates.

use super::Draft;
use crate::command::{Actor, StandIn};
use crate::lane::Person;
use crate::refusal::Refusal;

impl Draft<'_> {
    /// The open question, if this person may vote on it at this instant, and in whose place: nobody's, where they
    /// are asked themselves.
    pub(super) fn seated(&self, actor: &Actor) -> Result<(Person, Option<StandIn>), Refusal> {
        let mut as_asked = actor.clone();
        let not_asked = match self.asked(actor) {
            Ok(person) => return Ok((person, None)),
            Err(refusal @ Refusal::NotAsked { .. }) => refusal,
            Err(refusal) => return Err(refusal),
        };
        let mut refused = not_asked;
        for other in &actor.stands_in {
            as_asked.qualifies.clone_from(&other.qualifies);
            match self.asked(&as_asked) {
                Ok(person) => match in_place(&person, other) {
                    Ok(()) => return Ok((person, Some(other.clone()))),
                    Err(refusal) => refused = refusal,
                },
                Err(Refusal::NotAsked { .. }) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Err(refused)
    }
}

/// Nobody is let in through their delegate who would be refused at the door.
fn in_place(person: &Person, other: &StandIn) -> Result<(), Refusal> {
    let other = other.person.clone();
    if person.excluded.contains(&other) {
        return Err(Refusal::FourEyes { person: other });
    }
    if person.has_decided(&other) {
        return Err(Refusal::DecidedAlready { person: other });
    }
    Ok(())
}
