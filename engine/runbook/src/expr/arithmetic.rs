//! Sums, differences, products: of numbers, texts, lists, instants and durations.

use super::dates::shift;
use super::interpret::{Interpreter, Result, bounded, overflow};
use super::value::Val;
use super::{Op, STRING_MAX_BYTES};
use std::borrow::Cow;
use std::rc::Rc;

impl<'a> Interpreter<'a> {
    pub(super) fn add(&mut self, a: &Val<'a>, b: &Val<'a>) -> Result<Val<'a>> {
        match (a, b) {
            (Val::Text(time), Val::Span(_) | Val::BusinessDays(_)) if a.instant().is_none() => {
                Err(format!("`{time}` is no instant"))
            }
            (_, Val::Span(ms)) if a.instant().is_some() => shift(a, *ms),
            (Val::Span(ms), _) if b.instant().is_some() => shift(b, *ms),
            (_, Val::BusinessDays(days)) if a.instant().is_some() => self.shift_business(a, *days),
            (Val::Span(a), Val::Span(b)) => a.checked_add(*b).map(Val::Span).ok_or_else(overflow),
            (Val::Text(a), Val::Text(b)) => {
                if a.len() + b.len() > STRING_MAX_BYTES {
                    return Err(format!(
                        "the text would be longer than {STRING_MAX_BYTES} bytes"
                    ));
                }
                self.spend((a.len() + b.len()) / 64)?;
                Ok(Val::Text(Cow::Owned(format!("{a}{b}"))))
            }
            _ => match (a.items(), b.items()) {
                (Some(mut items), Some(more)) => {
                    bounded(items.len() + more.len())?;
                    self.spend(items.len() + more.len())?;
                    items.extend(more);
                    Ok(Val::List(Rc::new(items)))
                }
                _ => numbers(Op::Add, a, b),
            },
        }
    }

    pub(super) fn subtract(&mut self, a: &Val<'a>, b: &Val<'a>) -> Result<Val<'a>> {
        match (a, b) {
            (_, Val::Span(ms)) if a.instant().is_some() => shift(a, -*ms),
            (_, Val::BusinessDays(days)) if a.instant().is_some() => self.shift_business(a, -*days),
            (Val::Span(a), Val::Span(b)) => a.checked_sub(*b).map(Val::Span).ok_or_else(overflow),
            (Val::Int(_) | Val::Float(_), _) => numbers(Op::Subtract, a, b),
            _ => match (a.instant(), b.instant()) {
                (Some(a), Some(b)) => Ok(Val::Span(a.as_millisecond() - b.as_millisecond())),
                _ => Err(format!("{} cannot be taken from {}", b.what(), a.what())),
            },
        }
    }
}

pub(super) fn to_int<'a>(value: &Val<'_>) -> Result<Val<'a>> {
    match value {
        Val::Int(value) => Ok(Val::Int(*value)),
        Val::Float(value) if value.abs() < 9.0e15 => Ok(Val::Int(*value as i64)),
        Val::Text(text) => text
            .parse()
            .map(Val::Int)
            .map_err(|_| format!("`{text}` is no whole number")),
        Val::Span(ms) => Ok(Val::Int(*ms)),
        other => Err(format!("{} is no whole number", other.what())),
    }
}

pub(super) fn numbers<'a>(op: Op, a: &Val<'_>, b: &Val<'_>) -> Result<Val<'a>> {
    let floats = match (a, b) {
        (Val::Int(a), Val::Int(b)) => {
            let value = match op {
                Op::Add => a.checked_add(*b),
                Op::Subtract => a.checked_sub(*b),
                Op::Multiply => a.checked_mul(*b),
                Op::Divide => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            return value.map(Val::Int).ok_or_else(|| {
                if *b == 0 {
                    "a division by zero".to_owned()
                } else {
                    overflow()
                }
            });
        }
        (Val::Int(a), Val::Float(b)) => (*a as f64, *b),
        (Val::Float(a), Val::Int(b)) => (*a, *b as f64),
        (Val::Float(a), Val::Float(b)) => (*a, *b),
        (Val::Span(a), Val::Int(b)) if op == Op::Multiply => {
            return a.checked_mul(*b).map(Val::Span).ok_or_else(overflow);
        }
        _ => {
            return Err(format!(
                "{} and {} do not go together here",
                a.what(),
                b.what()
            ));
        }
    };
    let value = match op {
        Op::Add => floats.0 + floats.1,
        Op::Subtract => floats.0 - floats.1,
        Op::Multiply => floats.0 * floats.1,
        Op::Divide => floats.0 / floats.1,
        _ => floats.0 % floats.1,
    };
    if value.is_finite() {
        Ok(Val::Float(value))
    } else {
        Err(overflow())
    }
}
