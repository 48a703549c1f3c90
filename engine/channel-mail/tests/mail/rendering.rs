//! Templates → messages.

use hostler_channel_mail::render::{Context, OUTPUT_MAX_BYTES, TEMPLATE_MAX_BYTES, Templates};
use serde_json::json;
use std::collections::BTreeMap;

fn sources(subject: &str, text: &str, html: &str) -> BTreeMap<String, String> {
    [("m.subject", subject), ("m.text", text), ("m.html", html)]
        .map(|(name, source)| (name.to_owned(), source.to_owned()))
        .into()
}

fn compile(subject: &str, text: &str, html: &str) -> Templates {
    Templates::compile(&sources(subject, text, html)).unwrap()
}

#[test]
fn a_message_is_rendered_from_its_context() {
    let text = "{{customer.name}}: {{#each assets}}{{#unless @first}}, {{/unless}}{{name}}{{/each}} {{when.start_local}}";
    let templates = compile(
        "{{runbook.title}} for {{customer.name}}",
        text,
        "<ul>{{#each assets}}<li>{{this.id}}</li>{{/each}}</ul>",
    );
    let rendered = templates.render("m", &Context::sample()).unwrap();
    assert_eq!(
        rendered.subject,
        "Monthly OS patching for Department of Chemistry"
    );
    assert_eq!(
        rendered.text,
        "Department of Chemistry: Chemistry web 1, Chemistry database 1 Sunday 13 December 2026, 02:00"
    );
    assert_eq!(
        rendered.html,
        "<ul><li>chem-web1</li><li>chem-db1</li></ul>"
    );
    assert_eq!(templates.names().collect::<Vec<_>>(), ["m"]);
}

#[test]
fn values_are_escaped_in_html_and_not_in_text() {
    let templates = compile("s", "{{note}}", "<p title=\"{{note}}\">{{note}}</p>");
    let context = Context {
        note: "<b>\"R&D\"</b>".to_owned(),
        ..Context::sample()
    };
    let rendered = templates.render("m", &context).unwrap();
    assert_eq!(rendered.text, "<b>\"R&D\"</b>");
    assert!(
        !rendered.html.contains("<b>")
            && rendered.html.contains("&lt;b&gt;")
            && rendered.html.contains("&quot;R&amp;D&quot;")
    );
}

#[test]
fn a_missing_field_is_named_with_its_template() {
    for (text, field) in [
        ("{{customer.nmae}}", "customer.nmae"),
        ("{{nothing}}", "nothing"),
        ("{{#each assets}}{{owner}}{{/each}}", "owner"),
        ("x {{#if maybe}}a{{/if}}", "maybe"),
        ("x {{#each lists}}a{{/each}}", "lists"),
        ("x {{#unless customer.maybe}}a{{/unless}}", "customer.maybe"),
    ] {
        let fault = compile("s", text, "")
            .render("m", &Context::sample())
            .expect_err(text);
        assert_eq!(
            (fault.template.as_str(), fault.field.as_deref()),
            ("m.text", Some(field)),
            "{text}: {fault}"
        );
    }
}

#[test]
fn what_a_template_may_not_do_is_refused_when_it_is_compiled() {
    let long = "x".repeat(TEMPLATE_MAX_BYTES + 1);
    let deep = format!("{}x{}", "{{#if note}}".repeat(20), "{{/if}}".repeat(20));
    for (part, source, why) in [
        ("text", "{{{note}}}", "escaping"),
        ("html", "{{{note}}}", "escaping"),
        ("html", "{{&note}}", "escaping"),
        ("html", "{{#if note}}{{{note}}}{{/if}}", "escaping"),
        ("html", "{{#if note}}a{{else}}{{{note}}}{{/if}}", "escaping"),
        ("text", "{{> other}}", "partial"),
        ("text", "{{#> other}}x{{/other}}", "partial"),
        ("text", "{{#*inline \"x\"}}y{{/inline}}", "decorator"),
        ("text", "{{lookup customer \"name\"}}", "helper"),
        ("text", "{{log note}}", "helper"),
        ("text", "{{len assets}}", "helper"),
        ("text", "{{#raw}}x{{/raw}}", "block"),
        ("text", "{{#with customer}}x{{/with}}", "block"),
        ("text", "{{#eq note \"x\"}}y{{/eq}}", "block"),
        ("text", "{{#if (eq note \"x\")}}y{{/if}}", "something other"),
        ("html", "<a href={{note}}>", "without quotes"),
        ("html", "<a href=\"{{note}}\">", "where a link leads"),
        ("html", "<script>{{note}}</script>", "script"),
        ("text", "{{#if note}}x", ""),
        ("text", "{{note", ""),
        ("text", &deep, "too deep"),
        ("text", &long, "longer than"),
    ] {
        let mut sources = sources("s", "t", "h");
        sources.insert(format!("m.{part}"), source.to_owned());
        let fault = Templates::compile(&sources)
            .err()
            .unwrap_or_else(|| panic!("{source} must be refused"));
        assert_eq!(fault.template, format!("m.{part}"), "{source}: {fault}");
        assert!(fault.why.contains(why), "{source}: {fault}");
    }
}

#[test]
fn a_fault_says_line_and_column() {
    let fault = Templates::compile(&sources("s", "first\n  {{{note}}}", ""))
        .err()
        .unwrap();
    assert_eq!((fault.line, fault.column), (Some(2), Some(3)), "{fault}");
}

#[test]
fn a_message_needs_subject_and_text() {
    let only = BTreeMap::from([("m.html".to_owned(), "x".to_owned())]);
    assert!(
        Templates::compile(&only)
            .err()
            .unwrap()
            .why
            .contains("m.subject")
    );
    let odd = BTreeMap::from([("m.pdf".to_owned(), "x".to_owned())]);
    assert!(
        Templates::compile(&odd)
            .err()
            .unwrap()
            .remedy
            .contains(".text")
    );
    let fault = compile("s", "t", "")
        .render("other", &Context::sample())
        .unwrap_err();
    assert!(fault.remedy.contains("known: m"));
}

#[test]
fn nothing_empty_is_rendered() {
    for (subject, text, template) in [
        ("{{note}}", "t", "m.subject"),
        ("s", "{{#if note}}x{{/if}} \n", "m.text"),
    ] {
        let context = Context {
            note: String::new(),
            ..Context::sample()
        };
        let fault = compile(subject, text, "")
            .render("m", &context)
            .unwrap_err();
        assert_eq!(fault.template, template);
    }
}

#[test]
fn what_comes_out_is_bounded() {
    let templates = compile(
        "s",
        "{{#each about}}{{#each ../about}}xxxxxxxxxx{{/each}}{{/each}}",
        "",
    );
    let mut context = Context {
        about: json!(vec![0; 2_000]),
        ..Context::sample()
    };
    let fault = templates.render("m", &context).unwrap_err();
    assert!(fault.why.contains(&OUTPUT_MAX_BYTES.to_string()), "{fault}");
    context.about = json!([1, 2]);
    assert_eq!(
        templates.render("m", &context).unwrap().text,
        "x".repeat(40)
    );
}

#[test]
fn control_characters_and_directions_do_not_come_through() {
    let context = Context {
        note: "a\u{1b}[2J\u{202e}b\u{7}\r\nc\td\u{2028}e".to_owned(),
        ..Context::sample()
    };
    let rendered = compile("{{note}}", "{{note}}", "{{note}}")
        .render("m", &context)
        .unwrap();
    assert_eq!(rendered.text, "a[2Jb\nc d\ne");
    assert_eq!(rendered.html, "a[2Jb\nc d\ne");
    assert_eq!(rendered.subject, "a[2Jb c d e");
}

#[test]
fn a_long_subject_is_cut() {
    let context = Context {
        note: "ä".repeat(1_000),
        ..Context::sample()
    };
    let rendered = compile("{{note}}", "t", "").render("m", &context).unwrap();
    assert_eq!(rendered.subject.chars().count(), 200);
}
