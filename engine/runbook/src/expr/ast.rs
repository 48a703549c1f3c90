//! An expression as a tree of our own, small enough to be walked by checks and by the interpreter.

use super::Function;
use serde_json::Value;
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Byte offset inside the expression's text.
    pub at: usize,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    In,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loop {
    Filter,
    Map,
    All,
    Exists,
    ExistsOne,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Literal(Value),
    Name(String),
    Member(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    /// `has(a.b)`
    Has(Box<Node>, String),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    If(Box<Node>, Box<Node>, Box<Node>),
    Binary(Op, Box<Node>, Box<Node>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Loop {
        of: Loop,
        list: Box<Node>,
        name: String,
        body: Box<Node>,
    },
    /// A method's target is the first argument.
    Call(Function, Vec<Node>),
}

impl Node {
    /// `steps.scan.done` → `["steps", "scan", "done"]`; none when it is no plain path.
    pub fn path(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::Name(name) => Some(vec![name]),
            Kind::Member(of, field) => {
                let mut path = of.path()?;
                path.push(field);
                Some(path)
            }
            _ => None,
        }
    }

    pub fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Literal(_) | Kind::Name(_) => Vec::new(),
            Kind::Member(of, _) | Kind::Has(of, _) | Kind::Not(of) | Kind::Negate(of) => vec![of],
            Kind::Index(a, b) | Kind::And(a, b) | Kind::Or(a, b) | Kind::Binary(_, a, b) => {
                vec![a, b]
            }
            Kind::If(a, b, c) => vec![a, b, c],
            Kind::List(items) | Kind::Call(_, items) => items.iter().collect(),
            Kind::Map(entries) => entries
                .iter()
                .flat_map(|(key, value)| [key, value])
                .collect(),
            Kind::Loop { list, body, .. } => vec![list, body],
        }
    }

    /// Calls a function on this node and all below it.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}

/// Writes a node in one normal form, so that two ways to write the same condition compare equal.
pub(crate) struct Writer<'a>(pub &'a Node);

impl fmt::Display for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Literal(value) => write!(f, "{value}"),
            Kind::Name(name) => f.write_str(name),
            Kind::Member(of, field) => write!(f, "{}.{field}", Writer(of)),
            Kind::Index(of, by) => write!(f, "{}[{}]", Writer(of), Writer(by)),
            Kind::Has(of, field) => write!(f, "has({}.{field})", Writer(of)),
            Kind::Not(of) => write!(f, "!({})", Writer(of)),
            Kind::Negate(of) => write!(f, "-({})", Writer(of)),
            Kind::And(a, b) => write!(f, "({} && {})", Writer(a), Writer(b)),
            Kind::Or(a, b) => write!(f, "({} || {})", Writer(a), Writer(b)),
            Kind::If(a, b, c) => write!(f, "({} ? {} : {})", Writer(a), Writer(b), Writer(c)),
            Kind::Binary(op, a, b) => write!(f, "({} {op:?} {})", Writer(a), Writer(b)),
            Kind::List(items) => {
                f.write_str("[")?;
                items
                    .iter()
                    .try_for_each(|item| write!(f, "{},", Writer(item)))?;
                f.write_str("]")
            }
            Kind::Map(entries) => {
                f.write_str("{")?;
                entries
                    .iter()
                    .try_for_each(|(key, value)| write!(f, "{}:{},", Writer(key), Writer(value)))?;
                f.write_str("}")
            }
            Kind::Loop {
                of,
                list,
                name,
                body,
            } => write!(f, "{}.{of:?}({name},{})", Writer(list), Writer(body)),
            Kind::Call(function, arguments) => {
                write!(f, "{function:?}(")?;
                arguments
                    .iter()
                    .try_for_each(|argument| write!(f, "{},", Writer(argument)))?;
                f.write_str(")")
            }
        }
    }
}
