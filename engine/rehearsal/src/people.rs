//! People who answer from the script; what nobody scripted is left open, or settled the hard way
//! where a scaffold wants every run to end.

use crate::customers::{Customers, Spoken};
use crate::forms::{breaks_a_rule, made_up, misfit};
use crate::scenario::{Person, Scenario};
use crate::world::{Trouble, World};
use hostler_api::read;
use hostler_core::command::{Actor, Choice, Command, Input, RetryItem};
use hostler_core::decide::{Context, decide};
use hostler_core::definition::Definition;
use hostler_core::duration;
use hostler_core::lane::PersonKind;
use hostler_core::view::{ChildRecord, WaitingRow, index};
use hostler_ports::store::{Cursor, Store};
use serde_json::{Value, json};

pub struct People {
    left: Vec<Person>,
    customers: Customers,
    /// Questions without a script are answered so that the run ends.
    settle_all: bool,
    number: u64,
    /// Scripted refusals that did not happen.
    pub complaints: Vec<String>,
}

impl People {
    pub fn new(script: &[Person], settle_all: bool) -> Self {
        Self {
            left: script.to_vec(),
            customers: Customers::new(&[]),
            settle_all,
            number: 0,
            complaints: Vec::new(),
        }
    }

    /// Everybody of a scenario: who answers, and customers who agree or object.
    pub fn of(scenario: &Scenario) -> Self {
        Self {
            customers: Customers::new(&scenario.consents),
            ..Self::new(&scenario.people, false)
        }
    }

    /// From now on, what nobody scripted is settled.
    pub fn settling(mut self) -> Self {
        self.settle_all = true;
        self
    }

    /// Decisions that nobody has asked for yet.
    pub fn into_left(self) -> Vec<Person> {
        self.left
    }

    pub fn left(&self) -> usize {
        self.left.len()
    }

    /// Somebody of the script does something once it is time.
    pub fn come_by_themselves(&self) -> bool {
        !self.left.is_empty() || self.customers.will_speak()
    }

    /// What customers have said.
    pub fn said(&self) -> &[Spoken] {
        self.customers.said()
    }

    /// Customers of the script whom no run has stood for.
    pub fn never_asked(&self) -> Vec<&str> {
        self.customers.never_asked()
    }

    /// Answers one open question; false when there is none that anybody would answer.
    pub async fn act(&mut self, world: &World) -> Result<bool, Trouble> {
        if self.customers.act(world).await? {
            return Ok(true);
        }
        let page = world
            .store
            .query(index::WAITING, false, Cursor::default())
            .await?;
        let now_ms = world.store.now_ms().await?;
        for entry in page.entries {
            let row: WaitingRow = serde_json::from_str(&entry.body)?;
            let next = |person: &Person| fits(person, &row);
            if let Some(at) = self.left.iter().position(next) {
                if is_early(&self.left[at], &row, now_ms) {
                    continue;
                }
                let person = self.left.remove(at);
                self.scripted(world, &row, &person).await?;
                return Ok(true);
            }
            if self.settle_all {
                let display = display(world, &row).await?;
                // Whoever is on the next rung decides once it is asked, else its end denies.
                if display.get("ladder").is_some() && voter(world, &row).is_none() {
                    continue;
                }
                let mut command = hard_way(world, &row, &display);
                if breaks_a_rule(world, &row, &command).await? {
                    command = given_up("no answer is known that keeps the form's rules");
                }
                self.send(world, &row, command).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whoever may has every failed step tried once more that somebody is asked about; false: nobody is.
    pub async fn try_again(&mut self, world: &World) -> Result<bool, Trouble> {
        let page = world
            .store
            .query(index::WAITING, false, Cursor::default())
            .await?;
        let mut tried = false;
        for entry in page.entries {
            let row: WaitingRow = serde_json::from_str(&entry.body)?;
            if row.kind != PersonKind::Failure {
                continue;
            }
            let mut command = hard_way(world, &row, &Value::Null);
            if let Command::Choose { choice, .. } = &mut command {
                *choice = Choice::Retry;
            }
            self.send(world, &row, command).await?;
            tried = true;
        }
        Ok(tried)
    }

    async fn scripted(
        &mut self,
        world: &World,
        row: &WaitingRow,
        person: &Person,
    ) -> Result<(), Trouble> {
        let command = command_of(world, row, person).await?;
        let misfit = misfit(world, row, &command).await?;
        if let Some(expected) = &person.refused {
            let refusal = match misfit.clone() {
                Some(misfit) => Some(misfit),
                None => preview(world, row, &command).await?,
            };
            if !refusal
                .as_ref()
                .is_some_and(|refusal| refusal.contains(expected))
            {
                let said = refusal.unwrap_or_else(|| "accepted".to_owned());
                self.complaints.push(format!(
                    "{} at {}: expected `{expected}`, got `{said}`",
                    person.by, person.step
                ));
            }
        } else if let Some(misfit) = &misfit {
            let said = format!("{} at {}: {misfit}", person.by, person.step);
            self.complaints.push(said);
        }
        // What no door takes never comes to the lane.
        match misfit {
            Some(_) => Ok(()),
            None => self.send(world, row, command).await,
        }
    }

    async fn send(
        &mut self,
        world: &World,
        row: &WaitingRow,
        command: Command,
    ) -> Result<(), Trouble> {
        self.number += 1;
        let id = row.lane.command("rehearsed", self.number);
        world
            .store
            .send(row.lane, id, json!(command).to_string())
            .await?;
        Ok(())
    }
}

/// Whether time alone settles one of the open questions.
pub async fn expires(world: &World) -> Result<bool, Trouble> {
    is_open(world, |row| row.expires_ms.is_some() && !row.escalated).await
}

/// Whether somebody is asked what becomes of a failure.
pub async fn are_asked_about_a_failure(world: &World) -> Result<bool, Trouble> {
    is_open(world, |row| row.kind == PersonKind::Failure).await
}

async fn is_open(world: &World, such: impl Fn(&WaitingRow) -> bool) -> Result<bool, Trouble> {
    let page = world
        .store
        .query(index::WAITING, false, Cursor::default())
        .await?;
    for entry in page.entries {
        if such(&serde_json::from_str(&entry.body)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn fits(person: &Person, row: &WaitingRow) -> bool {
    person.step == row.step && (person.key.is_none() || person.key == row.key)
}

/// Whoever comes later in the script waits behind this one.
fn is_early(person: &Person, row: &WaitingRow, now_ms: i64) -> bool {
    let after = person.after.as_deref().and_then(duration::parse_ms);
    after.is_some_and(|after| now_ms < row.asked_ms.saturating_add_unsigned(after))
}

/// Whoever decides, with their code at hand where the question wants one: a rehearsal has no doors.
fn actor(world: &World, row: &WaitingRow, person: &str) -> Actor {
    let qualifies = world
        .api
        .directory
        .qualifications(person)
        .into_iter()
        .collect();
    Actor {
        person: person.to_owned(),
        qualifies,
        stepped_up: row.step_up.is_some(),
        ..Actor::default()
    }
}

async fn command_of(world: &World, row: &WaitingRow, person: &Person) -> Result<Command, Trouble> {
    let mut actor = actor(world, row, &person.by);
    actor.stepped_up &= !person.codeless;
    if person.retry_items {
        let items = failed_items(world, row).await?;
        return Ok(Command::RetryItems {
            by: person.by.clone(),
            items,
        });
    }
    Ok(
        match (person.yes, &person.answer, person.choose.as_deref()) {
            (Some(yes), _, _) => Command::Decide {
                actor,
                yes,
                signs: row.signs,
                comment: None,
                typed: person.typed.clone(),
                waive: person.waive.clone(),
            },
            (None, Some(answer), _) => Command::Answer {
                actor,
                signs: row.signs,
                answer: answer.clone(),
            },
            (None, None, choice) => {
                let choice = match choice {
                    Some("retry") => Choice::Retry,
                    Some("skip") => Choice::Skip,
                    Some("done") => Choice::Done,
                    Some("next") => Choice::Next,
                    Some("leave") => Choice::Leave,
                    Some("stop") => Choice::Stop,
                    _ => Choice::Fail,
                };
                Command::Choose {
                    actor,
                    choice,
                    comment: None,
                    signs: Some(row.signs),
                    output: Value::Null,
                }
            }
        },
    )
}

/// Failed children of the step whose gate is open.
async fn failed_items(world: &World, row: &WaitingRow) -> Result<Vec<RetryItem>, Trouble> {
    let mut items = Vec::new();
    let mut after = Cursor::default();
    loop {
        let page = world.store.children(row.lane, after).await?;
        for child in page.entries {
            let Some(text) = child.record else { continue };
            let record: ChildRecord = serde_json::from_str(&text)?;
            let key = child
                .key
                .strip_prefix(&format!("{}/", row.step))
                .map(str::to_owned);
            if let (Some(key), true) = (key, record.result.is_failure()) {
                items.push(RetryItem {
                    key,
                    index: record.index,
                    result: record.result,
                });
            }
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(items),
        }
    }
}

/// What the lane would say, without sending.
async fn preview(
    world: &World,
    row: &WaitingRow,
    command: &Command,
) -> Result<Option<String>, Trouble> {
    let refused = |problem| Trouble::NotStarted(Box::new(problem));
    let reading = read::lane(&world.api, row.lane).await.map_err(refused)?;
    let definition: Definition =
        read::blob(&world.api, "definition", reading.lane.opening.definition)
            .await
            .map_err(refused)?;
    let context = Context {
        definition: &definition,
        items: &[],
        settle_ms: 0,
    };
    let now_ms = world.store.now_ms().await?;
    let decided = decide(
        context,
        &reading.lane,
        Input::Command(command.clone()),
        now_ms,
    );
    Ok(decided.err().map(|refusal| refusal.to_string()))
}

/// What is displayed with a question; null where nothing is.
async fn display(world: &World, row: &WaitingRow) -> Result<Value, Trouble> {
    let Some(shown) = row.shown else {
        return Ok(Value::Null);
    };
    let bytes = world.store.blob(shown).await?.unwrap_or_default();
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

/// What a yes must type back.
fn typed(display: &Value) -> Option<String> {
    let typed = display.get("typed").and_then(Value::as_str);
    typed.map(str::to_owned)
}

/// Somebody of those who are asked who has not voted yet.
fn voter(world: &World, row: &WaitingRow) -> Option<String> {
    let wanted = row.clauses.iter().flat_map(|clause| &clause.any_of);
    let voted = |person: &String| row.votes.iter().any(|vote| vote.person == *person);
    wanted
        .flat_map(|who| world.api.directory.people_with(who))
        .find(|person| !voted(person))
}

fn given_up(reason: &str) -> Command {
    Command::Cancel {
        by: "rehearsal".to_owned(),
        reason: Some(reason.to_owned()),
    }
}

/// Ends what is open: approvals are given by whoever may, doubts and failures are given up.
fn hard_way(world: &World, row: &WaitingRow, display: &Value) -> Command {
    let Some(person) = voter(world, row) else {
        return given_up("nobody may decide");
    };
    let actor = actor(world, row, &person);
    match row.kind {
        PersonKind::Approve | PersonKind::WaveGate => Command::Decide {
            actor,
            yes: true,
            signs: row.signs,
            comment: None,
            typed: typed(display),
            waive: Vec::new(),
        },
        PersonKind::Ask | PersonKind::NeedsHuman => Command::Answer {
            actor,
            signs: row.signs,
            answer: made_up(&row.form, display),
        },
        kind => Command::Choose {
            actor,
            choice: match kind {
                PersonKind::Overflow => Choice::Stop,
                _ => Choice::Fail,
            },
            comment: None,
            signs: Some(row.signs),
            output: Value::Null,
        },
    }
}
