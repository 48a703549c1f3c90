//! What a template may use: paths and three blocks. Everything else is refused when it is compiled.
//!
//! Not here: whether fields exist (rendering in strict mode finds that).

use super::RenderFault;
use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};

/// Blocks that can neither reach outside the context nor turn escaping off.
const BLOCKS: [&str; 3] = ["if", "unless", "each"];
/// Deeper blocks are for nobody to read, and bound the recursion here.
const DEPTH_MAX: usize = 8;

pub(super) fn template(name: &str, html: bool, template: &Template) -> Result<(), RenderFault> {
    Checker {
        name,
        html,
        before: String::new(),
    }
    .walk(template, 0)
}

struct Checker<'a> {
    name: &'a str,
    html: bool,
    /// The literal text right before the element at hand, in lower case.
    before: String,
}

impl Checker<'_> {
    fn walk(&mut self, template: &Template, depth: usize) -> Result<(), RenderFault> {
        if depth > DEPTH_MAX {
            return Err(self.refuse(
                template,
                0,
                "has blocks in blocks too deep",
                "write it flatter",
            ));
        }
        for (number, element) in template.elements.iter().enumerate() {
            match element {
                TemplateElement::RawString(text) => self.literal(template, number, text)?,
                TemplateElement::Comment(_) => {}
                TemplateElement::Expression(expression) => {
                    self.expression(template, number, expression)?
                }
                TemplateElement::HelperBlock(block) => {
                    self.block(template, number, block)?;
                    for inner in block.template.iter().chain(&block.inverse) {
                        self.walk(inner, depth + 1)?;
                    }
                }
                TemplateElement::HtmlExpression(_) => {
                    let why = "turns escaping off (`{{{` or `{{&`)";
                    return Err(self.refuse(
                        template,
                        number,
                        why,
                        "write `{{` and `}}`: values are escaped as the part needs it",
                    ));
                }
                _ => {
                    return Err(self.refuse(
                        template,
                        number,
                        "uses a partial or a decorator",
                        "write the text out",
                    ));
                }
            }
        }
        Ok(())
    }

    fn literal(
        &mut self,
        template: &Template,
        number: usize,
        text: &str,
    ) -> Result<(), RenderFault> {
        self.before = text
            .trim_end_matches(['\n', '\r', '\t'])
            .to_ascii_lowercase();
        if self.html && (self.before.contains("<script") || self.before.contains("javascript:")) {
            return Err(self.refuse(
                template,
                number,
                "contains a script",
                "mail has none: remove it",
            ));
        }
        Ok(())
    }

    fn expression(
        &self,
        template: &Template,
        number: usize,
        expression: &HelperTemplate,
    ) -> Result<(), RenderFault> {
        if !expression.params.is_empty() || !expression.hash.is_empty() || !plain(&expression.name)
        {
            let why = "calls a helper";
            return Err(self.refuse(
                template,
                number,
                why,
                "only fields, `if`, `unless` and `each` exist",
            ));
        }
        if !self.html {
            return Ok(());
        }
        if self.before.ends_with('=') {
            return Err(self.refuse(
                template,
                number,
                "puts a value into an attribute without quotes",
                "put quotes round it",
            ));
        }
        let address = ["href=\"", "href='", "src=\"", "src='"]
            .iter()
            .any(|start| self.before.ends_with(start));
        if address {
            return Err(self.refuse(
                template,
                number,
                "lets a value decide where a link leads",
                "begin the link with `https://` and the host",
            ));
        }
        Ok(())
    }

    fn block(
        &self,
        template: &Template,
        number: usize,
        block: &HelperTemplate,
    ) -> Result<(), RenderFault> {
        let name = block.name.as_name().unwrap_or_default();
        if !BLOCKS.contains(&name) {
            let why = format!("uses the block `{name}`");
            return Err(self.refuse(
                template,
                number,
                &why,
                "only `if`, `unless` and `each` exist",
            ));
        }
        if block.params.len() != 1 || !block.hash.is_empty() || !block.params.iter().all(plain) {
            let why = format!("gives `{name}` something other than one field");
            return Err(self.refuse(template, number, &why, "write `{{#if field}}`"));
        }
        Ok(())
    }

    fn refuse(&self, template: &Template, number: usize, why: &str, remedy: &str) -> RenderFault {
        let place = template.mapping.get(number);
        RenderFault::new(self.name, why.to_owned(), remedy)
            .at(place.map(|at| at.0), place.map(|at| at.1))
    }
}

/// A field or path; `lookup` and `log` are names of helpers as well.
fn plain(parameter: &Parameter) -> bool {
    let path = matches!(parameter, Parameter::Name(_) | Parameter::Path(_));
    path && parameter
        .as_name()
        .is_some_and(|name| !["lookup", "log", "raw"].contains(&name))
}
