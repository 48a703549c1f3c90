//! One SMTP conversation, as the server.
//!
//! A message ends with `CR LF . CR LF` only: other line ends are part of it. Not here: storage.

use super::{Shared, Stage, Stream};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest command line; RFC 5321 asks for 512, AUTH for 12,288.
const LINE_MAX_BYTES: u64 = 12_288;
/// Recipients of one message.
const RECIPIENTS_MAX: usize = 100;
/// Commands of one session, so that no client holds one for ever.
const COMMANDS_MAX: usize = 10_000;

/// The unprotected connection is kept apart, since an upgrade needs it whole.
enum Wire {
    Plain(BufReader<TcpStream>),
    Protected(BufReader<Box<dyn Stream>>),
}

struct Session<'a> {
    shared: &'a Shared,
    wire: Wire,
    from: Option<String>,
    to: Vec<String>,
}

enum Next {
    Go,
    Upgrade,
    End,
}

pub(super) async fn run(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let wire = match (&shared.options.upgrade, shared.options.tls_at_start) {
        (Some(upgrade), true) => Wire::Protected(BufReader::new(upgrade(stream).await?)),
        _ => Wire::Plain(BufReader::new(stream)),
    };
    let mut session = Session {
        shared,
        wire,
        from: None,
        to: Vec::new(),
    };
    if !session
        .reply(Stage::Greeting, "", &format!("220 {} mail", shared.name))
        .await?
    {
        return Ok(());
    }
    for _ in 0..COMMANDS_MAX {
        let Some(line) = session.line(LINE_MAX_BYTES).await? else {
            return Ok(());
        };
        if !line.ends_with(b"\n") {
            return session.say("500 5.5.2 the line is too long").await;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        match session.command(&text).await? {
            Next::Go => {}
            Next::End => return Ok(()),
            Next::Upgrade => session = session.upgraded().await?,
        }
    }
    session.say("421 4.7.0 too many commands").await
}

impl<'a> Session<'a> {
    async fn command(&mut self, text: &str) -> io::Result<Next> {
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.hello().await?,
            "HELO" => self.say(&format!("250 {}", self.shared.name)).await?,
            "STARTTLS" if self.can_upgrade() => {
                self.say("220 2.0.0 go ahead").await?;
                return Ok(Next::Upgrade);
            }
            "AUTH" if self.shared.options.auth => {
                self.reply(Stage::Auth, rest, "235 2.7.0 welcome").await?;
            }
            "MAIL" => self.mail(rest).await?,
            "RCPT" => self.rcpt(rest).await?,
            "DATA" => return self.data().await,
            "RSET" => {
                self.reset();
                self.say("250 2.0.0 forgotten").await?;
            }
            "NOOP" => self.say("250 2.0.0 nothing done").await?,
            "VRFY" => self.say("252 2.1.5 try it").await?,
            "QUIT" => {
                self.say("221 2.0.0 bye").await?;
                return Ok(Next::End);
            }
            _ => {
                self.say("502 5.5.1 that command does not exist here")
                    .await?
            }
        }
        Ok(Next::Go)
    }

    async fn hello(&mut self) -> io::Result<()> {
        let mut lines = vec![
            self.shared.name.to_owned(),
            format!("SIZE {}", self.shared.options.message_bytes_max),
            "8BITMIME".to_owned(),
        ];
        if self.can_upgrade() {
            lines.push("STARTTLS".to_owned());
        }
        if self.shared.options.auth {
            lines.push("AUTH PLAIN".to_owned());
        }
        let last = lines.len() - 1;
        let text: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(n, line)| format!("250{}{line}", if n == last { ' ' } else { '-' }))
            .collect();
        self.say(&text.join("\r\n")).await
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        let Some(address) = address(rest, "FROM:") else {
            return self.say("501 5.5.4 write MAIL FROM:<address>").await;
        };
        self.reset();
        if self
            .reply(Stage::Mail, &address, "250 2.1.0 sender taken")
            .await?
        {
            self.from = Some(address);
        }
        Ok(())
    }

    async fn rcpt(&mut self, rest: &str) -> io::Result<()> {
        let Some(address) = address(rest, "TO:").filter(|address| !address.is_empty()) else {
            return self.say("501 5.5.4 write RCPT TO:<address>").await;
        };
        if self.from.is_none() {
            return self.say("503 5.5.1 MAIL comes first").await;
        }
        if self.to.len() >= RECIPIENTS_MAX {
            return self.say("452 4.5.3 too many recipients").await;
        }
        if self
            .reply(Stage::Rcpt, &address, "250 2.1.5 recipient taken")
            .await?
        {
            self.to.push(address);
        }
        Ok(())
    }

    async fn data(&mut self) -> io::Result<Next> {
        let Some(from) = self.from.clone().filter(|_| !self.to.is_empty()) else {
            self.say("503 5.5.1 MAIL and RCPT come first").await?;
            return Ok(Next::Go);
        };
        if !self
            .reply(
                Stage::Data,
                &from,
                "354 end with a dot on a line of its own",
            )
            .await?
        {
            return Ok(Next::Go);
        }
        let Some(bytes) = self.message().await? else {
            self.say("552 5.3.4 the message is too long").await?;
            return Ok(Next::End);
        };
        let policy = self.shared.options.policy.as_ref();
        let other = policy.and_then(|policy| policy(Stage::Message, &from));
        match (other, &self.shared.taker) {
            (Some(answer), _) => self.say(&answer).await?,
            (None, Some(taker)) => {
                let answer = taker(std::mem::take(&mut self.to), bytes).await;
                self.say(&answer).await?;
            }
            (None, None) => {
                let number = self.shared.keep(from, std::mem::take(&mut self.to), bytes);
                self.say(&format!("250 2.0.0 caught as {number}")).await?;
            }
        }
        self.reset();
        Ok(Next::Go)
    }

    /// The message, without the dots added for transport. None when it is too long.
    async fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let limit = self.shared.options.message_bytes_max;
        let mut bytes = Vec::new();
        let mut whole_line_before = true;
        loop {
            let room = u64::try_from(limit + 3).unwrap_or(u64::MAX);
            let Some(line) = self.line(room).await? else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            if whole_line_before && line == b".\r\n" {
                return Ok(Some(bytes));
            }
            let stuffed = whole_line_before && line.starts_with(b".");
            bytes.extend_from_slice(&line[usize::from(stuffed)..]);
            whole_line_before = line.ends_with(b"\r\n");
            if bytes.len() > limit {
                return Ok(None);
            }
        }
    }

    fn can_upgrade(&self) -> bool {
        self.shared.options.upgrade.is_some() && matches!(self.wire, Wire::Plain(_))
    }

    /// Whatever was said before the upgrade is forgotten, also what is still in the buffer.
    async fn upgraded(self) -> io::Result<Self> {
        let wire = match (self.wire, &self.shared.options.upgrade) {
            (Wire::Plain(reader), Some(upgrade)) => {
                Wire::Protected(BufReader::new(upgrade(reader.into_inner()).await?))
            }
            (wire, _) => wire,
        };
        Ok(Session {
            shared: self.shared,
            wire,
            from: None,
            to: Vec::new(),
        })
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }

    /// Says the friendly answer, or the policy's; true when it was friendly.
    async fn reply(&mut self, stage: Stage, about: &str, friendly: &str) -> io::Result<bool> {
        let other = self
            .shared
            .options
            .policy
            .as_ref()
            .and_then(|policy| policy(stage, about));
        self.say(other.as_deref().unwrap_or(friendly)).await?;
        Ok(other.is_none())
    }

    async fn say(&mut self, text: &str) -> io::Result<()> {
        let bytes = format!("{text}\r\n");
        match &mut self.wire {
            Wire::Plain(wire) => wire.get_mut().write_all(bytes.as_bytes()).await,
            Wire::Protected(wire) => {
                wire.get_mut().write_all(bytes.as_bytes()).await?;
                wire.get_mut().flush().await
            }
        }
    }

    /// One line with its end, or what fits into the limit. None at the end of the conversation.
    async fn line(&mut self, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let idle = Duration::from_millis(self.shared.options.idle_ms);
        let read = async {
            match &mut self.wire {
                Wire::Plain(wire) => wire.take(limit).read_until(b'\n', &mut line).await,
                Wire::Protected(wire) => wire.take(limit).read_until(b'\n', &mut line).await,
            }
        };
        let bytes = timeout(idle, read)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok((bytes > 0).then_some(line))
    }
}

/// The address in `FROM:<a@b> SIZE=1`.
fn address(rest: &str, keyword: &str) -> Option<String> {
    let start = rest.get(..keyword.len())?;
    let inside = rest[keyword.len()..]
        .trim_start()
        .strip_prefix('<')?
        .split_once('>')?
        .0;
    start
        .eq_ignore_ascii_case(keyword)
        .then(|| inside.to_owned())
}
