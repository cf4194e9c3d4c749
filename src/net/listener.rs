//! Sockets that clients arrive at: TCP on the addresses of `bind`, and the Unix socket.
//!
//! An address may be a name, `*` (all of IPv4) or `::*` (all of IPv6), and a `-` in front makes it optional: it is passed
//! over where the machine does not have it. [`Listeners::replace`] goes from one set of addresses to another and leaves
//! everything as it was if that fails.

use super::sockets::{CONNECTIONS_FROM, LISTENERS_FROM};
use crate::command::host::reason;
use crate::config::settings::Settings;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::fs::{Gid, Mode};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, acceptfrom_with, sockopt,
};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An address of `bind` (without its `-`) and a port.
    Tcp {
        address: String,
        port: u16,
        optional: bool,
    },
    /// A Unix socket's path.
    Unix { path: String },
}

/// A listening socket.
pub(super) struct Listener {
    fd: OwnedFd,
    place: Place,
    token: Token,
    /// Clients may be waiting: the event that said so is used up.
    pub(super) pending: bool,
}

/// All of them.
#[derive(Default)]
pub(super) struct Listeners {
    list: Vec<Listener>,
}

/// A place where nothing can be listened to, in the words of the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListenError {
    /// An address and port.
    #[error(
        "Warning: Could not create server TCP listening socket {place}: {}",
        reason(source)
    )]
    Tcp {
        /// Where.
        place: String,
        /// What the system said.
        source: io::Error,
    },
    /// A Unix socket.
    #[error("Failed opening Unix socket {place}: {}", reason(source))]
    Unix {
        /// Where.
        place: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Place {
    /// All places that the settings name.
    pub(super) fn all(settings: &Settings) -> Vec<Place> {
        let mut places = Vec::new();
        if settings.port > 0 {
            places.extend(settings.bind.iter().map(|address| Place::Tcp {
                address: address.trim_start_matches('-').to_owned(),
                port: settings.port,
                optional: address.starts_with('-'),
            }));
        }
        places.extend(
            settings
                .unixsocket
                .iter()
                .map(|path| Place::Unix { path: path.clone() }),
        );
        places
    }

    fn failed(&self, source: io::Error) -> ListenError {
        match self {
            Place::Tcp { address, port, .. } => ListenError::Tcp {
                place: format!("{address}:{port}"),
                source,
            },
            Place::Unix { path } => ListenError::Unix {
                place: path.clone(),
                source,
            },
        }
    }

    fn is_optional(&self) -> bool {
        matches!(self, Place::Tcp { optional: true, .. })
    }

    fn open(&self, settings: &Settings) -> Result<OwnedFd, Errno> {
        match self {
            Place::Tcp { address, port, .. } => open_tcp(address, *port, settings),
            Place::Unix { path } => open_unix(path, settings),
        }
    }
}

impl Listener {
    /// A client that has arrived, its socket non-blocking; `None`: there is none.
    ///
    /// # Errors
    /// What the system says; [`is_out_of_files`] tells the kind that passes.
    pub(super) fn accept(&self) -> rustix::io::Result<Option<(OwnedFd, Option<SocketAddrAny>)>> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        match acceptfrom_with(&self.fd, flags) {
            Ok(accepted) => Ok(Some(accepted)),
            Err(Errno::AGAIN) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The path of a Unix socket; `None` if it is none.
    pub(super) fn unix_path(&self) -> Option<&str> {
        match &self.place {
            Place::Unix { path } => Some(path),
            Place::Tcp { .. } => None,
        }
    }
}

impl Listeners {
    /// Listens at these places and no others.
    ///
    /// # Errors
    /// The first place where it cannot; all is as it was then.
    pub(super) fn replace(
        &mut self,
        places: &[Place],
        settings: &Settings,
        registry: &Registry,
    ) -> Result<(), ListenError> {
        let old = std::mem::take(&mut self.list);
        let (kept, dropped): (Vec<_>, Vec<_>) = old
            .into_iter()
            .partition(|listener| places.contains(&listener.place));
        self.list = kept;
        let missing: Vec<Place> = places
            .iter()
            .filter(|place| !self.list.iter().any(|listener| listener.place == **place))
            .cloned()
            .collect();
        let kept = self.list.len();
        // Tokens of the old ones stay taken until they are closed.
        let taken: Vec<Token> = dropped.iter().map(|listener| listener.token).collect();
        if self.open_all(&missing, &taken, settings, registry).is_ok() {
            return Ok(());
        }
        // An old address may be in the way of a new one on the same port (`*` and `127.0.0.1`).
        self.list.truncate(kept);
        let old: Vec<Place> = dropped.into_iter().map(|old| old.place).collect();
        let opened = self.open_all(&missing, &[], settings, registry);
        if opened.is_err() {
            self.list.truncate(kept);
            if let Err(error) = self.open_all(&old, &[], settings, registry) {
                tracing::warn!("{error}");
            }
        }
        opened
    }

    fn open_all(
        &mut self,
        places: &[Place],
        taken: &[Token],
        settings: &Settings,
        registry: &Registry,
    ) -> Result<(), ListenError> {
        for place in places {
            match place.open(settings) {
                Ok(fd) => self.add(place.clone(), fd, taken, registry),
                Err(error) if place.is_optional() && is_unavailable(error) => Ok(()),
                Err(error) => Err(error.into()),
            }
            .map_err(|source| place.failed(source))?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        place: Place,
        fd: OwnedFd,
        taken: &[Token],
        registry: &Registry,
    ) -> io::Result<()> {
        let is_free = |token: &Token| {
            !taken.contains(token) && self.list.iter().all(|listener| listener.token != *token)
        };
        let token = (LISTENERS_FROM..CONNECTIONS_FROM)
            .map(Token)
            .find(is_free)
            .ok_or_else(|| io::Error::other("too many addresses"))?;
        registry.register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)?;
        self.list.push(Listener {
            fd,
            place,
            token,
            pending: true,
        });
        Ok(())
    }

    /// Notes that clients wait at a listener.
    pub(super) fn wake(&mut self, token: Token) {
        if let Some(listener) = self.list.iter_mut().find(|one| one.token == token) {
            listener.pending = true;
        }
    }

    /// Whether clients may be waiting somewhere.
    pub(super) fn has_pending(&self) -> bool {
        self.list.iter().any(|listener| listener.pending)
    }

    /// The listener at a place in the list.
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Listener> {
        self.list.get_mut(index)
    }

    /// Listens nowhere any more.
    pub(super) fn close(&mut self) {
        self.list.clear();
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether one of them is a TCP listener, and whether one is a Unix socket.
    pub(super) fn kinds(&self) -> (bool, bool) {
        let unix = |listener: &&Listener| listener.unix_path().is_some();
        let unix_count = self.list.iter().filter(unix).count();
        (unix_count < self.list.len(), unix_count > 0)
    }
}

/// Whether an error of `accept` means that the process or the machine has no file descriptors left.
pub(super) fn is_out_of_files(error: Errno) -> bool {
    matches!(
        error,
        Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM
    )
}

/// Whether the machine does not have such an address at all.
fn is_unavailable(error: Errno) -> bool {
    matches!(
        error,
        Errno::ADDRNOTAVAIL
            | Errno::AFNOSUPPORT
            | Errno::PFNOSUPPORT
            | Errno::NOPROTOOPT
            | Errno::PROTONOSUPPORT
            | Errno::SOCKTNOSUPPORT
    )
}

fn open_tcp(address: &str, port: u16, settings: &Settings) -> Result<OwnedFd, Errno> {
    let host = match address {
        "*" => "0.0.0.0",
        "::*" => "::",
        host => host,
    };
    let resolved = (host, port).to_socket_addrs();
    let resolved = resolved.map_err(|_| Errno::ADDRNOTAVAIL)?;
    let mut failed = Errno::ADDRNOTAVAIL;
    for address in resolved {
        match bind_tcp(address, settings) {
            Ok(fd) => return Ok(fd),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn bind_tcp(address: SocketAddr, settings: &Settings) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let fd = open_socket(family)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&fd, true)?;
    }
    sockopt::set_socket_reuseaddr(&fd, true)?;
    rustix::net::bind(&fd, &address)?;
    rustix::net::listen(&fd, backlog(settings))?;
    Ok(fd)
}

fn open_unix(path: &str, settings: &Settings) -> Result<OwnedFd, Errno> {
    let fd = open_socket(AddressFamily::UNIX)?;
    // A socket that an earlier run left behind would be in the way.
    let _ = std::fs::remove_file(path);
    rustix::net::bind(&fd, &SocketAddrUnix::new(path)?)?;
    if settings.unixsocketperm > 0 {
        rustix::fs::chmod(path, Mode::from_raw_mode(settings.unixsocketperm))?;
    }
    if let Some(name) = &settings.unixsocketgroup {
        let group = nix::unistd::Group::from_name(name).ok().flatten();
        let group = group.ok_or(Errno::INVAL)?;
        rustix::fs::chown(path, None, Some(Gid::from_raw(group.gid.as_raw())))?;
    }
    rustix::net::listen(&fd, backlog(settings))?;
    Ok(fd)
}

fn open_socket(family: AddressFamily) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    rustix::net::socket_with(family, SocketType::STREAM, flags, None)
}

fn backlog(settings: &Settings) -> i32 {
    i32::try_from(settings.tcp_backlog).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn settings(bind: &[&str], port: u16) -> Settings {
        let mut settings = crate::config::Config::default().settings;
        settings.bind = bind.iter().map(ToString::to_string).collect();
        settings.port = port;
        settings
    }

    fn free_port() -> u16 {
        let probe = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        probe.local_addr().expect("it is bound").port()
    }

    fn replace(listeners: &mut Listeners, poll: &mio::Poll, settings: &Settings) -> bool {
        listeners
            .replace(&Place::all(settings), settings, poll.registry())
            .is_ok()
    }

    fn is_open(port: u16) -> bool {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    }

    #[test]
    fn going_from_one_address_to_all_of_the_same_port_works() {
        let poll = mio::Poll::new().expect("a poll");
        let mut listeners = Listeners::default();
        let port = free_port();
        assert!(replace(
            &mut listeners,
            &poll,
            &settings(&["127.0.0.1"], port)
        ));
        assert!(is_open(port));
        assert!(replace(
            &mut listeners,
            &poll,
            &settings(&["*", "-::*"], port)
        ));
        assert!(is_open(port));
        assert!(replace(
            &mut listeners,
            &poll,
            &settings(&["127.0.0.1"], port)
        ));
        assert!(is_open(port));
        assert_eq!(listeners.len(), 1);
    }

    #[test]
    fn a_change_that_fails_leaves_the_old_addresses_open() {
        let poll = mio::Poll::new().expect("a poll");
        let mut listeners = Listeners::default();
        let port = free_port();
        assert!(replace(
            &mut listeners,
            &poll,
            &settings(&["127.0.0.1"], port)
        ));
        let other = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let taken = other.local_addr().expect("it is bound").port();
        let wanted = settings(&["127.0.0.2", "127.0.0.1"], taken);
        assert!(!replace(&mut listeners, &poll, &wanted));
        assert!(is_open(port));
        assert_eq!(listeners.len(), 1);
        assert!(TcpStream::connect(("127.0.0.2", taken)).is_err());
    }

    #[test]
    fn an_optional_address_that_the_machine_does_not_have_is_passed_over() {
        let poll = mio::Poll::new().expect("a poll");
        let mut listeners = Listeners::default();
        let port = free_port();
        // 192.0.2.0/24 is reserved for documentation (RFC 5737).
        let wanted = settings(&["127.0.0.1", "-192.0.2.1"], port);
        assert!(replace(&mut listeners, &poll, &wanted));
        assert_eq!(listeners.len(), 1);
        assert!(!replace(
            &mut listeners,
            &poll,
            &settings(&["192.0.2.1"], port)
        ));
    }
}
