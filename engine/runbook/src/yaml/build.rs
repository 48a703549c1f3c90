//! From parser events to the tree, with the budgets kept while it grows.

use super::{DEPTH_MAX, FILE_MAX_BYTES, Key, Kind, NODES_MAX, Node, traps};
use crate::codes;
use crate::fault::Faults;
use crate::source::Span;
use granit_parser::{Event, Parser, ScalarStyle};

/// The tree of the faults' source, or none when there is no sense in going on.
pub(crate) fn parse(faults: &mut Faults<'_>) -> Option<Node> {
    let text = faults.source().text.as_str();
    if text.len() > FILE_MAX_BYTES {
        faults.add(
            codes::TOO_LARGE,
            Span::default(),
            format!(
                "the file has {} bytes, at most {FILE_MAX_BYTES} are read",
                text.len()
            ),
            "split it into runbooks that call each other",
        );
        return None;
    }
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        emit_comments: false,
    };
    let mut builder = Builder {
        faults,
        stack: Vec::new(),
        root: None,
        documents: 0,
        nodes: 0,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => {
                let span = byte_span(text, &span);
                if !builder.event(event, span) {
                    return None;
                }
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0);
                traps::explain(builder.faults, at, &error.info());
                return None;
            }
        }
    }
    let root = builder.root.take();
    if root.is_none() && !builder.faults.any_errors() {
        builder.faults.add(
            codes::ONE_DOCUMENT,
            Span::default(),
            "the file is empty",
            "write a runbook: `runbook:`, `version:`, `title:`, `owner:`, `steps:`",
        );
    }
    root
}

fn byte_span(text: &str, span: &granit_parser::Span) -> Span {
    let start = span.start.byte_offset().unwrap_or(0).min(text.len());
    Span::new(
        start,
        span.end.byte_offset().unwrap_or(start).min(text.len()),
    )
}

enum Open {
    List(Span, Vec<Node>),
    Map(Span, Vec<(Key, Node)>, Option<Key>),
}

struct Builder<'f, 's> {
    faults: &'f mut Faults<'s>,
    stack: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
}

impl Builder<'_, '_> {
    /// False when reading must stop.
    fn event(&mut self, event: Event<'_>, span: Span) -> bool {
        match event {
            Event::DocumentStart(..) => return self.document(span),
            Event::Scalar(text, style, _, tag) => {
                if tag.is_some() {
                    self.tag(span);
                }
                let kind = if style == ScalarStyle::Plain {
                    Kind::Plain(text.into_owned())
                } else {
                    Kind::Text(text.into_owned())
                };
                return self.node(Node {
                    span: self.trim(span),
                    kind,
                });
            }
            Event::SequenceStart(_, _, tag) => {
                return self.open(Open::List(span, Vec::new()), tag.is_some(), span);
            }
            Event::MappingStart(_, _, tag) => {
                return self.open(Open::Map(span, Vec::new(), None), tag.is_some(), span);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(span),
            Event::Anchor(..) | Event::Alias(..) | Event::UnresolvedAlias(..) => {
                self.faults.add(
                    codes::ANCHOR,
                    span,
                    "anchors and aliases are not read",
                    "write the value out; a text that begins with & or * needs quotes",
                );
                return false;
            }
            _ => {}
        }
        true
    }

    fn document(&mut self, span: Span) -> bool {
        self.documents += 1;
        if self.documents > 1 {
            self.faults.add(
                codes::ONE_DOCUMENT,
                span,
                "a second document begins here",
                "one file holds one runbook: move it into a file of its own",
            );
        }
        self.documents <= 1
    }

    fn tag(&mut self, span: Span) {
        self.faults.add(
            codes::TAG,
            span,
            "tags are not read",
            "remove the tag; a text that begins with ! needs quotes",
        );
    }

    fn open(&mut self, open: Open, tagged: bool, span: Span) -> bool {
        if tagged {
            self.tag(span);
        }
        if self.stack.len() >= DEPTH_MAX {
            self.faults.add(
                codes::TOO_DEEP,
                span,
                format!("nested deeper than {DEPTH_MAX}"),
                "move the inner steps into a runbook of their own and `call` it",
            );
            return false;
        }
        self.stack.push(open);
        true
    }

    fn close(&mut self, end: Span) -> bool {
        let (start, kind) = match self.stack.pop() {
            Some(Open::List(start, items)) => (start, Kind::List(items)),
            Some(Open::Map(start, entries, None)) => (start, Kind::Map(entries)),
            Some(Open::Map(..)) | None => return false,
        };
        let span = self.trim(Span::new(start.start, end.end));
        self.node(Node { span, kind })
    }

    /// A block's span reaches to the next token: white space and comments behind it are not its own.
    fn trim(&self, span: Span) -> Span {
        let text = self
            .faults
            .source()
            .text
            .get(span.start..span.end)
            .unwrap_or("");
        Span::new(span.start, span.start + text.trim_end().len())
    }

    fn node(&mut self, node: Node) -> bool {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            self.faults.add(
                codes::TOO_LARGE,
                node.span,
                format!("more than {NODES_MAX} values"),
                "split the runbook",
            );
            return false;
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, entries, key @ Some(_))) => {
                if let Some(key) = key.take() {
                    entries.push((key, node));
                }
            }
            Some(Open::Map(_, _, None)) => return self.key(node),
        }
        true
    }

    fn key(&mut self, node: Node) -> bool {
        let Some(text) = node.text().map(str::to_owned) else {
            traps::explain(self.faults, node.span.start, "a key must be a text");
            return false;
        };
        if text == "<<" {
            self.faults.add(
                codes::ANCHOR,
                node.span,
                "merge keys are not read",
                "write the fields out",
            );
        }
        let Some(Open::Map(_, entries, pending)) = self.stack.last_mut() else {
            return false;
        };
        let earlier = entries
            .iter()
            .find(|(key, _)| key.text == text)
            .map(|(key, _)| key.span);
        *pending = Some(Key {
            span: node.span,
            text: text.clone(),
        });
        if let Some(earlier) = earlier {
            self.faults.add(
                codes::DUPLICATE_KEY,
                node.span,
                format!("`{text}` stands here a second time"),
                "keep one of the two",
            );
            self.faults.relate(earlier, "the first");
        }
        true
    }
}
