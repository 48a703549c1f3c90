//! Where mail servers bring reports, and mail of people who want no more of what they need not have: an SMTP server
//! that takes mail for one address of ours and keeps none of it.
//!
//! Bounded in bytes, sessions and time, and on loopback unless somebody says that strangers may come. Not here: what a
//! report says.

use crate::sink::{Options, Policy, Sink, Stage, Taker};
use crate::unsubscribe;
use hostler_ports::channel::ReturnTag;
use hostler_ports::leave::TakeLeave;
use hostler_ports::returned::{REPORT_MAX_BYTES, TakeReport, Taken, Vouched};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// Sessions at the same time: reports are few.
const SESSIONS_MAX: usize = 16;
/// A session that says nothing for so long ends, and each ends after the second.
const IDLE_MS: u64 = 30_000;
const SESSION_MS: u64 = 300_000;

/// Where and for whom mail is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub listen: SocketAddr,
    /// The one recipient: `bounces@runs.example`, and the same with a tag: `bounces+…@runs.example`.
    pub recipient: String,
    /// Strangers may come: `listen` may be more than loopback.
    pub beyond_loopback: bool,
}

/// A running intake; it ends when dropped.
pub struct Intake {
    server: Sink,
}

impl Intake {
    /// # Errors
    /// When the address is beyond loopback without leave, or is taken.
    pub async fn start(
        address: &Address,
        take: Arc<dyn TakeReport>,
        leave: Arc<dyn TakeLeave>,
    ) -> io::Result<Self> {
        if !address.listen.ip().is_loopback() && !address.beyond_loopback {
            let why = "reports are taken on loopback addresses only, such as 127.0.0.1: set bounces.beyond_loopback if \
                       strangers may come";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let options = Options {
            messages_max: 1,
            message_bytes_max: REPORT_MAX_BYTES,
            sessions_max: SESSIONS_MAX,
            idle_ms: IDLE_MS,
            session_ms: SESSION_MS,
            policy: Some(only(address.recipient.clone())),
            ..Options::default()
        };
        let taker = taker(address.recipient.clone(), take, leave);
        let server = Sink::listen(address.listen, options, "hostler", Some(taker)).await?;
        Ok(Self { server })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

/// Nobody else gets mail here.
fn only(recipient: String) -> Policy {
    Arc::new(move |stage, about| {
        let is_ours =
            about.eq_ignore_ascii_case(&recipient) || ReturnTag::of(about, &recipient).is_some();
        let refused = stage == Stage::Rcpt && !is_ours;
        refused.then(|| "550 5.1.1 nobody of that name here".to_owned())
    })
}

fn taker(ours: String, take: Arc<dyn TakeReport>, leave: Arc<dyn TakeLeave>) -> Taker {
    Arc::new(move |to, report| {
        let (take, leave) = (Arc::clone(&take), Arc::clone(&leave));
        let vouched = Vouched::Address(to.iter().find_map(|to| ReturnTag::of(to, &ours)));
        Box::pin(async move {
            if let Some(link) = unsubscribe::asked(&report) {
                return left(&*leave, &link).await;
            }
            match take.take(&report, &vouched).await {
                Ok(Taken::NotYet) => "451 4.3.0 not known yet, come again".to_owned(),
                Ok(Taken::WrongAddress) => {
                    "550 5.7.1 the message that it is about was not sent from this address"
                        .to_owned()
                }
                // Whatever else it is: a report of a report would help nobody.
                Ok(_) => "250 2.0.0 read".to_owned(),
                Err(fault) => {
                    tracing::warn!(fault, "a report of a mail server cannot be kept now");
                    "451 4.3.0 cannot be kept now, come again".to_owned()
                }
            }
        })
    })
}

async fn left(leave: &dyn TakeLeave, link: &str) -> String {
    match leave.take(link).await {
        Ok(true) => "250 2.0.0 done".to_owned(),
        Ok(false) => "550 5.7.1 this link opens nothing: copy it whole from the message".to_owned(),
        Err(fault) => {
            tracing::warn!(fault, "a wish for no more messages cannot be kept now");
            "451 4.3.0 cannot be kept now, come again".to_owned()
        }
    }
}
