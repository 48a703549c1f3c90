//! Which paths an expression looks at: `inputs.why`, `previous.safe.state`.
//!
//! Not here: whether they are there (the checks), and what they hold (the interpreter).

use super::{Kind, Node};
use std::collections::BTreeSet;

/// The longest plain paths, but those of names that the expression itself binds.
pub(crate) fn paths(tree: &Node) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(tree, &mut Vec::new(), &mut found);
    found
}

fn gather<'n>(node: &'n Node, bound: &mut Vec<&'n str>, found: &mut BTreeSet<String>) {
    if let Some(path) = node.path() {
        note(&path, bound, found);
        return;
    }
    match &node.kind {
        Kind::Has(of, field) => match of.path() {
            Some(mut path) => {
                path.push(field);
                note(&path, bound, found);
            }
            None => gather(of, bound, found),
        },
        Kind::Loop {
            list, name, body, ..
        } => {
            gather(list, bound, found);
            bound.push(name);
            gather(body, bound, found);
            bound.pop();
        }
        _ => {
            for child in node.children() {
                gather(child, bound, found);
            }
        }
    }
}

fn note(path: &[&str], bound: &[&str], found: &mut BTreeSet<String>) {
    if !path.first().is_some_and(|root| bound.contains(root)) {
        found.insert(path.join("."));
    }
}

#[cfg(test)]
mod tests {
    use super::paths;
    use crate::expr::parse;

    #[test]
    fn paths_are_found_and_bound_names_are_not() {
        for (text, expected) in [
            (
                "!value || (inputs.why != 'inputs.no' && (round.number == 1 || previous.safe.state != 'failed'))",
                "inputs.why previous.safe.state round.number value",
            ),
            (
                "value.all(a, a.ring in inputs.rings) && has(steps.look.size)",
                "inputs.rings steps.look.size value",
            ),
            (
                "steps.scan.by[asset.id].size > size(value)",
                "asset.id steps.scan.by value",
            ),
        ] {
            let tree = parse(text).expect("it can be read");
            let found: Vec<String> = paths(&tree).into_iter().collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }
}
