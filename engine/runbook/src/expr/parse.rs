//! From text to our tree, by the `cel` crate's parser behind our bounds. Nothing is evaluated here.

use super::{DEPTH_MAX, Function, Kind, LOOPS_MAX, Loop, NODES_MAX, Node, Op, TEXT_MAX_BYTES};
use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators};
use serde_json::Value;

/// Why an expression was not read, and where in its text (bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotRead {
    pub at: usize,
    pub why: Why,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Syntax,
    Bounds,
    Function,
}

fn refuse(at: usize, why: Why, message: impl Into<String>) -> NotRead {
    NotRead {
        at,
        why,
        message: message.into(),
    }
}

/// # Errors
/// When the text is no expression of the language, or over one of its bounds.
pub(crate) fn parse(text: &str) -> Result<Node, NotRead> {
    bounds(text)?;
    let env = cel::Env::default().with_optional_support(false);
    let (tree, places) = env
        .parser()
        .max_recursion_depth(64)
        .error_recovery_limit(1)
        .parse_with_source_info(text)
        .map_err(|errors| first_error(text, &errors))?;
    let mut reader = Reader {
        text,
        places: &places,
        nodes: 0,
    };
    reader.node(&tree, 0, 0)
}

/// Refuses before the parser sees it what would cost it a deep stack.
fn bounds(text: &str) -> Result<(), NotRead> {
    if text.len() > TEXT_MAX_BYTES {
        return Err(refuse(
            0,
            Why::Bounds,
            format!("longer than {TEXT_MAX_BYTES} bytes"),
        ));
    }
    if text.trim().is_empty() {
        return Err(refuse(0, Why::Syntax, "it is empty"));
    }
    let (mut depth, mut quote, mut escaped, mut signs) = (0_usize, None, false, 0_usize);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            // Each of these may open a level of its own.
            (None, '?' | '!' | '-') => signs += 1,
            _ => {}
        }
        if depth > DEPTH_MAX || signs > 64 {
            return Err(refuse(at, Why::Bounds, "nested too deeply"));
        }
    }
    Ok(())
}

fn first_error(text: &str, errors: &cel::ParseErrors) -> NotRead {
    let Some(error) = errors.errors.first() else {
        return refuse(0, Why::Syntax, "it cannot be read");
    };
    let column = usize::try_from(error.pos.1).unwrap_or(0).saturating_sub(1);
    let at = text
        .char_indices()
        .nth(column)
        .map_or(text.len(), |(at, _)| at);
    let message: String = error
        .msg
        .split(" expecting ")
        .next()
        .unwrap_or("")
        .replace("Syntax error: ", "")
        .replace("mismatched input", "unexpected")
        .replace("'<EOF>'", "end");
    refuse(
        at,
        Why::Syntax,
        if message.is_empty() {
            "it cannot be read".to_owned()
        } else {
            message
        },
    )
}

struct Reader<'a> {
    text: &'a str,
    places: &'a SourceInfo,
    nodes: usize,
}

impl Reader<'_> {
    fn at(&self, id: u64) -> usize {
        let column = self
            .places
            .offset_for(id)
            .map_or(0, |(start, _)| start as usize);
        self.text.char_indices().nth(column).map_or(0, |(at, _)| at)
    }

    fn node(&mut self, from: &IdedExpr, depth: usize, loops: usize) -> Result<Node, NotRead> {
        let at = self.at(from.id);
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > 4 * DEPTH_MAX {
            return Err(refuse(
                at,
                Why::Bounds,
                format!("more than {NODES_MAX} parts"),
            ));
        }
        let kind = match &from.expr {
            Expr::Literal(literal) => Kind::Literal(self.literal(literal, at)?),
            Expr::Ident(name) => Kind::Name(name.clone()),
            Expr::Select(select) => Kind::Member(
                Box::new(self.node(&select.operand, depth + 1, loops)?),
                select.field.clone(),
            ),
            Expr::List(list) => Kind::List(self.nodes(&list.elements, depth, loops)?),
            Expr::Map(map) => Kind::Map(self.entries(&map.entries, depth, loops)?),
            Expr::Call(call) => return self.call(call, at, depth, loops),
            Expr::Struct(_) | Expr::Comprehension(_) | Expr::Unspecified => {
                return Err(refuse(
                    at,
                    Why::Syntax,
                    "this form is not part of the language",
                ));
            }
        };
        Ok(Node { at, kind })
    }

    fn boxed(&mut self, from: &IdedExpr, depth: usize, loops: usize) -> Result<Box<Node>, NotRead> {
        self.node(from, depth + 1, loops).map(Box::new)
    }

    fn nodes(
        &mut self,
        from: &[IdedExpr],
        depth: usize,
        loops: usize,
    ) -> Result<Vec<Node>, NotRead> {
        from.iter()
            .map(|item| self.node(item, depth + 1, loops))
            .collect()
    }

    fn entries(
        &mut self,
        from: &[cel::common::ast::IdedEntryExpr],
        depth: usize,
        loops: usize,
    ) -> Result<Vec<(Node, Node)>, NotRead> {
        from.iter()
            .map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => Ok((
                    self.node(&entry.key, depth + 1, loops)?,
                    self.node(&entry.value, depth + 1, loops)?,
                )),
                EntryExpr::StructField(_) => Err(refuse(
                    self.at(entry.id),
                    Why::Syntax,
                    "this form is not part of the language",
                )),
            })
            .collect()
    }

    fn literal(&self, literal: &LiteralValue, at: usize) -> Result<Value, NotRead> {
        Ok(match literal {
            LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
            LiteralValue::Int(value) => Value::from(*value.inner()),
            LiteralValue::Double(value) => Value::from(*value.inner()),
            LiteralValue::String(value) => Value::String(value.inner().to_owned()),
            LiteralValue::Null => Value::Null,
            LiteralValue::UInt(_) | LiteralValue::Bytes(_) => {
                return Err(refuse(
                    at,
                    Why::Syntax,
                    "unsigned numbers and bytes are not part of the language",
                ));
            }
        })
    }

    fn call(
        &mut self,
        call: &CallExpr,
        at: usize,
        depth: usize,
        loops: usize,
    ) -> Result<Node, NotRead> {
        let arguments = &call.args;
        // The place of a call is its bracket; people look at its name.
        let named = self
            .text
            .get(..at)
            .is_some_and(|before| before.ends_with(&call.func_name));
        let at = if named { at - call.func_name.len() } else { at };
        if let Some(kind) = self.operator(call, at, depth, loops)? {
            return Ok(Node { at, kind });
        }
        if call.func_name == "has" && call.target.is_none() {
            let [
                IdedExpr {
                    expr: Expr::Select(select),
                    ..
                },
            ] = arguments.as_slice()
            else {
                return Err(refuse(
                    at,
                    Why::Syntax,
                    "has() takes a field, as in has(steps.scan.set)",
                ));
            };
            return Ok(Node {
                at,
                kind: Kind::Has(
                    self.boxed(&select.operand, depth, loops)?,
                    select.field.clone(),
                ),
            });
        }
        if let (Some(of), Some(list)) = (loop_named(&call.func_name), &call.target) {
            return self.walk(of, list, call, at, depth, loops);
        }
        let Some(function) = Function::named(&call.func_name) else {
            return Err(refuse(
                at,
                Why::Function,
                format!("there is no function `{}`", call.func_name),
            ));
        };
        let mut all = Vec::with_capacity(arguments.len() + 1);
        if let Some(target) = &call.target {
            all.push(self.node(target, depth + 1, loops)?);
        }
        all.extend(self.nodes(arguments, depth, loops)?);
        if !function.arity().contains(&all.len()) {
            return Err(refuse(
                at,
                Why::Function,
                format!("`{}` takes {}", call.func_name, function.usage()),
            ));
        }
        Ok(Node {
            at,
            kind: Kind::Call(function, all),
        })
    }

    fn walk(
        &mut self,
        of: Loop,
        list: &IdedExpr,
        call: &CallExpr,
        at: usize,
        depth: usize,
        loops: usize,
    ) -> Result<Node, NotRead> {
        if loops >= LOOPS_MAX {
            return Err(refuse(
                at,
                Why::Bounds,
                format!("more than {LOOPS_MAX} loops inside each other"),
            ));
        }
        let [
            IdedExpr {
                expr: Expr::Ident(name),
                ..
            },
            body,
        ] = call.args.as_slice()
        else {
            return Err(refuse(
                at,
                Why::Syntax,
                format!("{} takes a name and an expression", call.func_name),
            ));
        };
        let kind = Kind::Loop {
            of,
            list: self.boxed(list, depth, loops)?,
            name: name.clone(),
            body: self.boxed(body, depth, loops + 1)?,
        };
        Ok(Node { at, kind })
    }

    fn operator(
        &mut self,
        call: &CallExpr,
        at: usize,
        depth: usize,
        loops: usize,
    ) -> Result<Option<Kind>, NotRead> {
        let arguments = call.args.as_slice();
        let name = call.func_name.as_str();
        let kind = match arguments {
            [a] if name == operators::LOGICAL_NOT => Kind::Not(self.boxed(a, depth, loops)?),
            [a] if name == operators::NEGATE => Kind::Negate(self.boxed(a, depth, loops)?),
            [a, b, c] if name == operators::CONDITIONAL => Kind::If(
                self.boxed(a, depth, loops)?,
                self.boxed(b, depth, loops)?,
                self.boxed(c, depth, loops)?,
            ),
            [a, b] => {
                if name == operators::IN && loops >= LOOPS_MAX {
                    return Err(refuse(
                        at,
                        Why::Bounds,
                        format!("more than {LOOPS_MAX} loops inside each other"),
                    ));
                }
                let make = match name {
                    operators::LOGICAL_AND => Kind::And,
                    operators::LOGICAL_OR => Kind::Or,
                    operators::INDEX => Kind::Index,
                    _ => {
                        let Some(op) = binary(name) else {
                            return Ok(None);
                        };
                        return Ok(Some(Kind::Binary(
                            op,
                            self.boxed(a, depth, loops)?,
                            self.boxed(b, depth, loops)?,
                        )));
                    }
                };
                make(self.boxed(a, depth, loops)?, self.boxed(b, depth, loops)?)
            }
            _ => return Ok(None),
        };
        Ok(Some(kind))
    }
}

fn loop_named(name: &str) -> Option<Loop> {
    Some(match name {
        "filter" => Loop::Filter,
        "map" => Loop::Map,
        "all" => Loop::All,
        "exists" => Loop::Exists,
        "exists_one" => Loop::ExistsOne,
        _ => return None,
    })
}

fn binary(name: &str) -> Option<Op> {
    Some(match name {
        operators::EQUALS => Op::Equal,
        operators::NOT_EQUALS => Op::NotEqual,
        operators::LESS => Op::Less,
        operators::LESS_EQUALS => Op::LessEqual,
        operators::GREATER => Op::Greater,
        operators::GREATER_EQUALS => Op::GreaterEqual,
        operators::ADD => Op::Add,
        operators::SUBSTRACT => Op::Subtract,
        operators::MULTIPLY => Op::Multiply,
        operators::DIVIDE => Op::Divide,
        operators::MODULO => Op::Remainder,
        operators::IN => Op::In,
        _ => return None,
    })
}
