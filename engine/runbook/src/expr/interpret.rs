//! Evaluates a tree over a scope, counting every node. The same scope gives the same value.

use super::arithmetic::{numbers, to_int};
use super::value::Val;
use super::{BUDGET, Function, Kind, LIST_MAX, Loop, Node, Op, UNREACHED};
use hostler_core::expression::Scope;
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::rc::Rc;

pub(super) struct Interpreter<'a> {
    pub scope: &'a Scope,
    pub zone: &'a TimeZone,
    /// Names bound by loops, innermost last.
    pub bound: Vec<(&'a str, Val<'a>)>,
    pub spent: u64,
}

pub(super) type Result<T> = std::result::Result<T, String>;

impl<'a> Interpreter<'a> {
    pub(super) fn spend(&mut self, cost: usize) -> Result<()> {
        self.spent = self.spent.saturating_add(cost as u64);
        if self.spent > BUDGET {
            Err(format!(
                "it takes more than {BUDGET} steps; filter the list earlier"
            ))
        } else {
            Ok(())
        }
    }

    pub fn eval(&mut self, node: &'a Node) -> Result<Val<'a>> {
        self.spend(1)?;
        match &node.kind {
            Kind::Literal(value) => Ok(Val::from_json(value)),
            Kind::Name(name) => self.name(name),
            Kind::Member(of, field) => {
                if field == "state" && self.is_unreached(of) {
                    return Ok(Val::Text(Cow::Borrowed(UNREACHED)));
                }
                let value = self.eval(of)?;
                value.field(field).ok_or_else(|| missing(&value, field))
            }
            Kind::Has(of, field) => Ok(Val::Bool(match self.eval(of) {
                Ok(value) => value
                    .field(field)
                    .is_some_and(|found| !matches!(found, Val::Null)),
                // What is not there has no fields.
                Err(_) => false,
            })),
            Kind::Index(of, by) => self.index(of, by),
            Kind::Not(of) => Ok(Val::Bool(!self.truth(of)?)),
            Kind::Negate(of) => match self.eval(of)? {
                Val::Int(value) => value.checked_neg().map(Val::Int).ok_or_else(overflow),
                Val::Float(value) => Ok(Val::Float(-value)),
                Val::Span(value) => Ok(Val::Span(-value)),
                other => Err(format!("{} has no negative", other.what())),
            },
            Kind::And(a, b) => self.either(a, b, false),
            Kind::Or(a, b) => self.either(a, b, true),
            Kind::If(condition, yes, no) => {
                if self.truth(condition)? {
                    self.eval(yes)
                } else {
                    self.eval(no)
                }
            }
            Kind::Binary(op, a, b) => {
                let (a, b) = (self.eval(a)?, self.eval(b)?);
                self.binary(*op, &a, &b)
            }
            Kind::List(items) => {
                let items: Result<Vec<_>> = items.iter().map(|item| self.eval(item)).collect();
                Ok(Val::List(Rc::new(items?)))
            }
            Kind::Map(entries) => {
                let entries: Result<Vec<_>> = entries
                    .iter()
                    .map(|(key, value)| self.entry(key, value))
                    .collect();
                Ok(Val::Map(Rc::new(entries?)))
            }
            Kind::Loop {
                of,
                list,
                name,
                body,
            } => self.walk(*of, list, name, body),
            Kind::Call(function, arguments) => {
                let arguments: Result<Vec<_>> = arguments
                    .iter()
                    .map(|argument| self.eval(argument))
                    .collect();
                self.call(*function, &arguments?)
            }
        }
    }

    /// `steps.x` of a step that did not come to pass: it has a state all the same.
    fn is_unreached(&self, of: &Node) -> bool {
        matches!(of.path().as_deref(), Some(["steps", id])
            if self.scope.get("steps").is_some_and(|steps| steps.get(*id).is_none()))
    }

    fn name(&self, name: &str) -> Result<Val<'a>> {
        if let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return Ok(value.clone());
        }
        self.scope
            .get(name)
            .map(Val::from_json)
            .ok_or_else(|| format!("there is no `{name}` here"))
    }

    fn truth(&mut self, node: &'a Node) -> Result<bool> {
        match self.eval(node)? {
            Val::Bool(value) => Ok(value),
            other => Err(format!(
                "true or false was expected, this is {}",
                other.what()
            )),
        }
    }

    /// `&&` (decided by false) and `||` (decided by true): either side may decide, an error of the
    /// other side then does not matter.
    fn either(&mut self, a: &'a Node, b: &'a Node, decides: bool) -> Result<Val<'a>> {
        match self.truth(a) {
            Ok(value) if value == decides => Ok(Val::Bool(decides)),
            Ok(_) => Ok(Val::Bool(self.truth(b)?)),
            Err(error) => match self.truth(b) {
                Ok(value) if value == decides => Ok(Val::Bool(decides)),
                _ => Err(error),
            },
        }
    }

    fn entry(&mut self, key: &'a Node, value: &'a Node) -> Result<(String, Val<'a>)> {
        match self.eval(key)? {
            Val::Text(key) => Ok((key.into_owned(), self.eval(value)?)),
            other => Err(format!("a key is a text, this is {}", other.what())),
        }
    }

    fn index(&mut self, of: &'a Node, by: &'a Node) -> Result<Val<'a>> {
        let value = self.eval(of)?;
        match self.eval(by)? {
            Val::Text(key) => value.field(&key).ok_or_else(|| missing(&value, &key)),
            Val::Int(number) => usize::try_from(number)
                .ok()
                .and_then(|number| value.item(number))
                .ok_or_else(|| format!("{} has no item {number}", value.what())),
            // An asset stands for its id.
            record => match record.field("id") {
                Some(Val::Text(id)) => value.field(&id).ok_or_else(|| missing(&value, &id)),
                _ => Err(format!("{} cannot be an index", record.what())),
            },
        }
    }

    fn walk(&mut self, of: Loop, list: &'a Node, name: &'a str, body: &'a Node) -> Result<Val<'a>> {
        let value = self.eval(list)?;
        let items = value
            .items()
            .ok_or_else(|| format!("a list was expected, this is {}", value.what()))?;
        bounded(items.len())?;
        let mut kept = Vec::new();
        let mut hits = 0_usize;
        for item in items {
            self.bound.push((name, item.clone()));
            let outcome = if of == Loop::Map {
                self.eval(body).map(|made| (made, true))
            } else {
                self.truth(body).map(|hit| (item, hit))
            };
            self.bound.pop();
            let (value, hit) = outcome?;
            hits += usize::from(hit);
            match of {
                Loop::Filter | Loop::Map if hit => kept.push(value),
                Loop::All if !hit => return Ok(Val::Bool(false)),
                Loop::Exists if hit => return Ok(Val::Bool(true)),
                _ => {}
            }
        }
        Ok(match of {
            Loop::Filter | Loop::Map => Val::List(Rc::new(kept)),
            Loop::All => Val::Bool(true),
            Loop::Exists => Val::Bool(false),
            Loop::ExistsOne => Val::Bool(hits == 1),
        })
    }

    fn binary(&mut self, op: Op, a: &Val<'a>, b: &Val<'a>) -> Result<Val<'a>> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let ordering = || {
            a.compare(b)
                .ok_or_else(|| format!("{} and {} have no order", a.what(), b.what()))
        };
        Ok(match op {
            Op::Equal | Op::NotEqual => {
                self.spend(a.size().unwrap_or(0))?;
                Val::Bool(a.equals(b) == (op == Op::Equal))
            }
            Op::Less => Val::Bool(ordering()? == Less),
            Op::LessEqual => Val::Bool(matches!(ordering()?, Less | Equal)),
            Op::Greater => Val::Bool(ordering()? == Greater),
            Op::GreaterEqual => Val::Bool(matches!(ordering()?, Greater | Equal)),
            Op::In => return self.contains(a, b),
            Op::Add => return self.add(a, b),
            Op::Subtract => return self.subtract(a, b),
            Op::Multiply | Op::Divide | Op::Remainder => return numbers(op, a, b),
        })
    }

    fn contains(&mut self, item: &Val<'a>, within: &Val<'a>) -> Result<Val<'a>> {
        if let (Val::Json(serde_json::Value::Object(_)) | Val::Map(_), Val::Text(key)) =
            (within, item)
        {
            return Ok(Val::Bool(within.field(key).is_some()));
        }
        let items = within
            .items()
            .ok_or_else(|| format!("`in` needs a list or a map, this is {}", within.what()))?;
        bounded(items.len())?;
        self.spend(items.len())?;
        Ok(Val::Bool(
            items.iter().any(|candidate| candidate.equals(item)),
        ))
    }

    fn call(&mut self, function: Function, arguments: &[Val<'a>]) -> Result<Val<'a>> {
        let first = &arguments[0];
        match function {
            Function::Size => {
                let size = first
                    .size()
                    .ok_or_else(|| format!("{} has no size", first.what()))?;
                Ok(Val::Int(i64::try_from(size).unwrap_or(i64::MAX)))
            }
            Function::String => Ok(Val::Text(match first {
                Val::Text(text) => text.clone(),
                Val::Int(value) => Cow::Owned(value.to_string()),
                other => match other.clone().into_json() {
                    serde_json::Value::String(text) => Cow::Owned(text),
                    value => Cow::Owned(value.to_string()),
                },
            })),
            Function::Int => to_int(first),
            Function::Double => match first {
                Val::Int(value) => Ok(Val::Float(*value as f64)),
                Val::Float(value) => Ok(Val::Float(*value)),
                Val::Text(text) => text
                    .parse()
                    .map(Val::Float)
                    .map_err(|_| format!("`{text}` is no number")),
                other => Err(format!("{} is no number", other.what())),
            },
            Function::Timestamp => first
                .instant()
                .map(Val::Time)
                .ok_or_else(|| "this is no instant such as '2026-03-01T12:00:00Z'".to_owned()),
            Function::Duration => match first {
                Val::Text(text) => match hostler_core::duration::parse_ms(text)
                    .and_then(|ms| i64::try_from(ms).ok())
                {
                    Some(ms) => Ok(Val::Span(ms)),
                    None => Err(format!("`{text}` is no duration such as 90m or 5d")),
                },
                other => Err(format!("{} is no duration", other.what())),
            },
            Function::Days => match first {
                Val::Int(days) => days
                    .checked_mul(86_400_000)
                    .map(Val::Span)
                    .ok_or_else(overflow),
                other => Err(format!(
                    "days() takes a whole number, this is {}",
                    other.what()
                )),
            },
            Function::BusinessDays => match first {
                Val::Int(days) => Ok(Val::BusinessDays(*days)),
                other => Err(format!(
                    "bdays() takes a whole number, this is {}",
                    other.what()
                )),
            },
            Function::EndOfDay => self.end_of_day(first, arguments.get(1)),
            Function::DaysBetween => {
                let (from, to) = (self.date(first)?, self.date(&arguments[1])?);
                let span = from.until(to).map_err(|error| error.to_string())?;
                Ok(Val::Int(i64::from(span.get_days())))
            }
            Function::Contains | Function::StartsWith | Function::EndsWith => {
                match (first, &arguments[1]) {
                    (Val::Text(text), Val::Text(part)) => Ok(Val::Bool(match function {
                        Function::Contains => text.contains(part.as_ref()),
                        Function::StartsWith => text.starts_with(part.as_ref()),
                        _ => text.ends_with(part.as_ref()),
                    })),
                    _ => Err("two texts were expected".to_owned()),
                }
            }
        }
    }
}

fn missing(value: &Val<'_>, field: &str) -> String {
    match value {
        Val::Json(_) | Val::Map(_) => format!("there is no `{field}` in it"),
        other => format!("{} has no field `{field}`", other.what()),
    }
}

pub(super) fn overflow() -> String {
    "the result is out of range".to_owned()
}

pub(super) fn bounded(length: usize) -> Result<()> {
    if length > LIST_MAX {
        Err(format!(
            "a list of {length} items; at most {LIST_MAX} are walked"
        ))
    } else {
        Ok(())
    }
}
