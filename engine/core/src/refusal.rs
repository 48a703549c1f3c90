//! Why a lane does not accept a command. Named, so that nobody reads a text to find out.

use crate::consent::NotConsented;
use crate::deferral::NotPutOff;
use crate::duration;
use crate::id::Digest;
use thiserror::Error;

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    #[error("the lane has ended")]
    Ended,
    #[error("nothing waits for a person here (the lane is {phase})")]
    NobodyAsked { phase: &'static str },
    #[error("what was shown has changed: look again and decide on {present:?}")]
    Changed { present: Digest },
    #[error("{person} is not among those asked: {wanted}")]
    NotAsked { person: String, wanted: String },
    #[error("{person} started this run; another person must decide")]
    FourEyes { person: String },
    #[error("{person} has decided already")]
    DecidedAlready { person: String },
    #[error(
        "a yes must type back the name that is shown, letter for letter: look again, then give it with `typed` (`--typed NAME`)"
    )]
    NotTyped,
    #[error(
        "a yes of {person} needs the code of their authenticator app here: give it with `code` (`--code 123456`); a no needs none"
    )]
    NotSteppedUp { person: String },
    #[error("`{waiver}` cannot be waived here; {}", waivers(.may))]
    NotWaivable { waiver: String, may: Vec<String> },
    #[error("the time to decide is over")]
    Expired,
    #[error("this is answered by {expected}")]
    WrongKind { expected: &'static str },
    #[error("the timer {name} belongs to something that is over")]
    StaleTimer { name: String },
    #[error("the child {key} is not one that is waited for")]
    StaleChild { key: String },
    #[error("a stop was requested before")]
    Stopping,
    #[error("an open debt ends when it is settled: answer its form, or see `hostler debt list`")]
    Owes,
    #[error("nothing of this is owed here")]
    NothingOwed,
    #[error("the run is paused already")]
    PausedAlready,
    #[error("the run is not paused")]
    NotPaused,
    #[error("there is no failed item to run again")]
    NothingToRetry,
    #[error("the lane is {phase}, which does not take {input}")]
    Unexpected {
        phase: &'static str,
        input: &'static str,
    },
    #[error("the list at hand has {found} items, the step's has {expected}")]
    OtherItems { expected: u32, found: usize },
    #[error(transparent)]
    NotPutOff(#[from] NotPutOff),
    #[error(transparent)]
    NotConsented(#[from] NotConsented),
    #[error(
        "a lease of {} lives no longer than that from now on: extend it by {} at most",
        duration::write_ms(*.given_ms), duration::write_ms(*.most_ms)
    )]
    TooLong { given_ms: u64, most_ms: u64 },
    #[error("the lane points outside its definition")]
    Lost,
}

fn waivers(may: &[String]) -> String {
    if may.is_empty() {
        return "decide without a waiver".to_owned();
    }
    format!("what can be: {}", may.join(", "))
}
