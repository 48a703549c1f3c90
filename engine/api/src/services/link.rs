//! Links of messages: the question that one opens, and deciding by it as the person to whom it was sent.
//!
//! A link gives nobody more than they have: whoever it belongs to is looked up again each time, and asked about like
//! anybody who is signed in. Opening one changes nothing, however often: programs follow links in mails. Not here:
//! pages, and how a link is made.

use super::outcome::{self, Settled};
use super::waiting::{self, WaitingView};
use super::{decide, decide::FormAsk, decide::VoteAsk, proving};
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use crate::read::Reading;
use crate::step_up::Passcode;
use crate::{Api, read};
use hostler_core::command::{Command, StandIn};
use hostler_core::lane::{Person, Phase, yes_or_no};
use hostler_core::mail::{Link, Mail, MailEvent, Question};
use hostler_core::sight::Sight;
use serde_json::{Value, json};

/// How votes that came by a link are recorded.
pub(super) const VIA: &str = "link";

/// What a page says. `yes` is no, too, for whoever fills nothing in: a page asks for one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkAsk {
    pub yes: bool,
    pub comment: Option<String>,
    pub typed: Option<String>,
    /// For a yes to a question with `step_up`.
    pub code: Option<Passcode>,
}

/// A question that waits for whoever holds this link.
#[derive(Clone, Debug)]
pub struct Opened {
    pub subject: Subject,
    /// In whose place the person votes; none: their own.
    pub on_behalf_of: Option<String>,
    /// As this person may see it.
    pub view: WaitingView,
    /// The person could prove a yes by a code.
    pub enrolled: bool,
    question: Question,
    /// The field of a form that takes yes or no; none for approvals.
    field: Option<String>,
}

/// What the link opens now.
///
/// # Errors
/// `not-found` for what is no link (or no longer one: its run has left the store), `forbidden` when the person has
/// gone or is not asked any more, `changed` when it was asked anew, `nobody-asked` when it is settled, `expired`,
/// `four-eyes`, `decided-already`; the store's.
pub async fn open(api: &Api, now_ms: i64, text: &str) -> Result<Opened, Problem> {
    let mail = sent(api, text).await?;
    let subject = holder(api, now_ms, &mail)?;
    let question = mail.spec.question.ok_or_else(unknown)?;
    let opened = judged(api, subject.clone(), question).await;
    // What others are called is nobody's business, in a refusal neither.
    opened.map_err(|problem| Problem {
        detail: Sight::of(&*api.directory, &subject.person).text(&problem.detail),
        ..problem
    })
}

/// Decides by the link. It counts once: whoever sends the same again is told so.
///
/// # Errors
/// As `open`, and `not-typed`, `too-large`, `step-up-needed`, `not-enrolled`, `code-wrong`, `code-used`,
/// `too-many-codes`.
pub async fn decide(
    api: &Api,
    now_ms: i64,
    text: &str,
    ask: LinkAsk,
) -> Result<(Opened, Settled), Problem> {
    let opened = open(api, now_ms, text).await?;
    let (subject, lane, signs) = (&opened.subject, opened.question.lane, opened.question.signs);
    let asked_ms = opened.question.asked_ms;
    // The same person, question and link: one letter, however often and at whatever moment it is sent.
    let key = format!("{VIA} {asked_ms} {signs}");
    let settled = match &opened.field {
        Some(field) => {
            let answer = json!({ field.as_str(): ask.yes });
            decide::answer(api, subject, lane, FormAsk { signs, answer }, Some(&key)).await?
        }
        None => {
            let ask = VoteAsk {
                yes: ask.yes,
                signs,
                comment: ask.comment,
                typed: ask.typed,
                waive: Vec::new(),
                code: ask.code,
            };
            decide::vote(api, subject, lane, ask, Some(&key)).await?
        }
    };
    Ok((opened, settled))
}

/// Whoever a link stands for, as they are now.
pub(super) fn holder(api: &Api, now_ms: i64, mail: &Mail) -> Result<Subject, Problem> {
    let person = mail.spec.person().ok_or_else(unknown)?;
    let subject = Subject::at(&*api.directory, person, VIA, now_ms);
    subject.ok_or_else(|| {
        Problem::new(Code::Forbidden, format!("{person} is not here any more"))
            .remedy("somebody else who is asked must decide")
    })
}

/// The message that a link came with.
pub(super) async fn sent(api: &Api, text: &str) -> Result<Mail, Problem> {
    let link = Link::parse(text).ok_or_else(unknown)?;
    let message = link.message().ok_or_else(unknown)?;
    let loaded = api.store.load(message, 0).await?.ok_or_else(unknown)?;
    let events = loaded.events.iter().map(|text| serde_json::from_str(text));
    let events: Vec<MailEvent> = events.collect::<Result<_, _>>().map_err(|_| unknown())?;
    let mail = Mail::fold(&events).ok_or_else(unknown)?;
    if !mail.links.contains(&link.sha256()) {
        return Err(unknown());
    }
    Ok(mail)
}

pub(super) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "this link opens nothing")
        .remedy("copy the whole link from the message; the link of a run that is long over opens nothing any more")
}

async fn judged(api: &Api, subject: Subject, question: Question) -> Result<Opened, Problem> {
    let reading = match read::lane(api, question.lane).await {
        Err(problem) if problem.code == Code::NotFound => return Err(settled()),
        reading => reading?,
    };
    let person = same(&reading, &question)?;
    let field = match person.kind.is_form() {
        true => Some(yes_or_no(&person.form).ok_or_else(unknown)?.to_owned()),
        false => None,
    };
    let on_behalf_of = in_place(person, &subject);
    tried(api, &reading, &subject, &question, field.as_deref()).await?;
    let Some((row, _)) = waiting::of_lane(api, question.lane).await? else {
        return Err(settled());
    };
    authorize(&subject, Action::Decide, Resource::Question(&row.clauses)).check(&subject)?;
    Ok(Opened {
        on_behalf_of,
        view: waiting::view(api, &subject, row).await?,
        enrolled: proving::is_enrolled(api, &subject.person),
        subject,
        question,
        field,
    })
}

/// For whom the person would vote, as the core seats them; none: for themselves.
fn in_place(person: &Person, subject: &Subject) -> Option<String> {
    if person.qualifies(&decide::actor(subject).qualifies) {
        return None;
    }
    let counts = |other: &&StandIn| {
        let other = &other.person;
        !person.excluded.contains(other) && !person.has_decided(other)
    };
    let asked = subject
        .stands_in
        .iter()
        .filter(|other| person.qualifies(&other.qualifies));
    asked
        .filter(counts)
        .map(|other| other.person.clone())
        .next()
}

/// The question that the link was sent for, if it is the one that the lane asks.
fn same<'a>(reading: &'a Reading, question: &Question) -> Result<&'a Person, Problem> {
    let Phase::Person(person) = &reading.lane.phase else {
        return Err(settled());
    };
    if person.asked_ms != question.asked_ms || person.signs != question.signs {
        return Err(Problem::new(
            Code::Changed,
            "it was asked anew: what this link shows is over",
        )
        .remedy("use the link of the newer message, or look: hostler approve list --mine"));
    }
    Ok(person)
}

fn settled() -> Problem {
    Problem::new(
        Code::NobodyAsked,
        "it is settled: nobody is asked here any more",
    )
    .remedy("what was decided stands in the run: hostler run list")
}

/// Whether this person's no would count: what a yes must say beyond that is seen when it is said.
async fn tried(
    api: &Api,
    reading: &Reading,
    subject: &Subject,
    question: &Question,
    field: Option<&str>,
) -> Result<(), Problem> {
    let (actor, signs) = (decide::actor(subject), question.signs);
    let command = match field {
        Some(field) => Command::Answer {
            actor,
            signs,
            answer: json!({ field: Value::Bool(false) }),
        },
        None => Command::Decide {
            actor,
            yes: false,
            signs,
            comment: None,
            typed: None,
            waive: Vec::new(),
        },
    };
    let tried = outcome::try_out(api, reading, &command).await;
    tried.map_err(|problem| {
        let remedy = remedy(problem.code);
        problem.remedy(remedy)
    })
}

fn remedy(code: Code) -> &'static str {
    match code {
        Code::NotAsked => "you are not among those asked (any more): somebody who is must decide",
        Code::FourEyes => "whoever started it does not decide: somebody else who is asked must",
        Code::DecidedAlready => {
            "nothing is left to do: your decision, or that of whoever stands in, counts"
        }
        Code::Expired => "it ended without you: ask whoever started it to start anew",
        _ => "look at the run: hostler run list",
    }
}
