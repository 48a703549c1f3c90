//! Writes SVG elements. Lengths are whole tenths of a pixel, so that no machine rounds another way.
//!
//! Not here: what is drawn where.

use std::fmt::Write as _;

/// Characters of one text; more would leave the picture.
const TEXT_MAX: usize = 200;

#[derive(Debug, Default)]
pub struct Pen {
    out: String,
}

/// A place and size in tenths of a pixel.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
}

/// Which point of a text is placed.
#[derive(Clone, Copy, Debug)]
pub enum At {
    Start,
    Middle,
}

impl Pen {
    pub fn raw(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// A rectangle; `title` is shown by a pointer that rests on it, and read aloud.
    pub fn rect(&mut self, class: &str, area: Area, title: &str) {
        let Area {
            x,
            y,
            width,
            height,
        } = area;
        let (x, y, width, height) = (px(x), px(y), px(width), px(height));
        let place = format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
        self.titled("rect", class, &place, title);
    }

    /// A closed figure around a point, from differences in tenths of a pixel.
    pub fn figure(&mut self, class: &str, (x, y): (i64, i64), corners: &[(i64, i64)], title: &str) {
        let points: Vec<String> = corners
            .iter()
            .map(|(dx, dy)| format!("{},{}", px(x + dx), px(y + dy)))
            .collect();
        let place = format!("points=\"{}\"", points.join(" "));
        self.titled("polygon", class, &place, title);
    }

    pub fn circle(&mut self, class: &str, (x, y): (i64, i64), radius: i64, title: &str) {
        let place = format!("cx=\"{}\" cy=\"{}\" r=\"{}\"", px(x), px(y), px(radius));
        self.titled("circle", class, &place, title);
    }

    pub fn line(&mut self, class: &str, from: (i64, i64), to: (i64, i64)) {
        let (x1, y1, x2, y2) = (px(from.0), px(from.1), px(to.0), px(to.1));
        let place = format!("x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"");
        self.titled("line", class, &place, "");
    }

    pub fn text(&mut self, class: &str, (x, y): (i64, i64), at: At, text: &str) {
        let anchor = match at {
            At::Start => "start",
            At::Middle => "middle",
        };
        let (x, y, text) = (px(x), px(y), escaped(text));
        let _ = writeln!(
            self.out,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
        );
    }

    fn titled(&mut self, name: &str, class: &str, place: &str, title: &str) {
        let _ = if title.is_empty() {
            writeln!(self.out, "<{name} class=\"{class}\" {place}/>")
        } else {
            let title = escaped(title);
            writeln!(
                self.out,
                "<{name} class=\"{class}\" {place}><title>{title}</title></{name}>"
            )
        };
    }

    pub fn finish(self) -> String {
        self.out
    }
}

fn px(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, rest) = (tenths.abs() / 10, tenths.abs() % 10);
    match rest {
        0 => format!("{sign}{whole}"),
        rest => format!("{sign}{whole}.{rest}"),
    }
}

/// Safe as text and between quotes; what XML does not know is a blank.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for one in text.chars().take(TEXT_MAX) {
        match one {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            one if one.is_control() || ['\u{fffe}', '\u{ffff}'].contains(&one) => safe.push(' '),
            one => safe.push(one),
        }
    }
    safe
}

/// Shortened to so many characters.
pub fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept + "…"
}
