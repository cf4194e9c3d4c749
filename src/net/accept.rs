//! New clients: taken in from the listeners, given a slot, or told why not.

use super::connection::{self, Connection};
use super::host::ProcessHost;
use super::listener::is_out_of_files;
use super::sockets::Sockets;
use crate::command::host::Engaged;
use crate::session::Peer;
use rustix::net::{SocketAddrAny, sockopt};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

/// Nanoseconds without accepting when there are no file descriptors, unless a client leaves before.
const OUT_OF_FILES_PAUSE_NS: u64 = 1_000_000_000;

impl Sockets {
    /// Takes in clients that wait at the listeners; `now_ns` is the turn's time.
    pub(super) fn accept(&mut self, now_ns: u64, engine: &mut dyn Engaged, host: &mut ProcessHost) {
        if now_ns < self.accept_from_ns {
            return;
        }
        self.accept_from_ns = 0;
        for index in 0..host.listeners.len() {
            self.accept_at(index, now_ns, engine, host);
        }
    }

    fn accept_at(
        &mut self,
        index: usize,
        now_ns: u64,
        engine: &mut dyn Engaged,
        host: &mut ProcessHost,
    ) {
        let bound = engine
            .server()
            .config
            .settings
            .max_new_connections_per_cycle;
        for _ in 0..bound {
            let Some(listener) = host.listeners.get_mut(index) else {
                return;
            };
            if !listener.pending {
                return;
            }
            match listener.accept() {
                Ok(Some((fd, address))) => {
                    let unix_path = listener.unix_path().map(str::to_owned);
                    self.take_in(fd, address, unix_path, engine);
                }
                Ok(None) => listener.pending = false,
                Err(error) if is_out_of_files(error) => {
                    tracing::warn!("Accepting client connection: {error}");
                    self.accept_from_ns = now_ns + OUT_OF_FILES_PAUSE_NS;
                    return;
                }
                // The client went away while it waited: on to the next one.
                Err(_) => {}
            }
        }
    }

    fn take_in(
        &mut self,
        fd: OwnedFd,
        address: Option<SocketAddrAny>,
        unix_path: Option<String>,
        engine: &mut dyn Engaged,
    ) {
        let peer = match unix_path {
            Some(path) => unix_peer(&fd, &path),
            None => tcp_peer(&fd, address),
        };
        if !peer.unix {
            set_options(&fd, engine.server().config.settings.tcp_keepalive_s);
        }
        tracing::debug!("Accepted {}", peer.address);
        let slot = match engine.connect(peer) {
            Ok(slot) => slot,
            Err(line) => return connection::refuse(&fd, line),
        };
        if self.connections.len() <= slot {
            self.connections.resize_with(slot + 1, || None);
        }
        match Connection::register(fd, slot, self.poll.registry()) {
            Ok(connection) => {
                if let Some(place) = self.connections.get_mut(slot) {
                    *place = Some(connection);
                }
            }
            Err(error) => {
                tracing::warn!("Watching a client's socket: {error}");
                engine.disconnect(slot);
            }
        }
    }
}

/// A client is served without these options too, so that failing to set them is no reason to refuse it.
fn set_options(fd: &OwnedFd, keepalive_s: u32) {
    let _ = sockopt::set_tcp_nodelay(fd, true);
    if keepalive_s > 0 {
        let silence = std::time::Duration::from_secs(u64::from(keepalive_s));
        let between = std::time::Duration::from_secs(u64::from(keepalive_s / 3).max(1));
        let _ = sockopt::set_socket_keepalive(fd, true);
        let _ = sockopt::set_tcp_keepidle(fd, silence);
        let _ = sockopt::set_tcp_keepintvl(fd, between);
        let _ = sockopt::set_tcp_keepcnt(fd, 3);
    }
}

fn tcp_peer(fd: &OwnedFd, address: Option<SocketAddrAny>) -> Peer {
    let address: Option<SocketAddr> = address.and_then(|address| address.try_into().ok());
    let local = rustix::net::getsockname(fd).ok();
    let local: Option<SocketAddr> = local.and_then(|address| address.try_into().ok());
    let print = |address: Option<SocketAddr>| address.map_or("?:0".to_owned(), |a| a.to_string());
    Peer {
        loopback: address.is_some_and(|address| is_loopback(address.ip())),
        address: print(address),
        local_address: print(local),
        fd: fd.as_raw_fd(),
        unix: false,
    }
}

fn unix_peer(fd: &OwnedFd, path: &str) -> Peer {
    let address = format!("{path}:0");
    Peer {
        local_address: address.clone(),
        address,
        fd: fd.as_raw_fd(),
        unix: true,
        loopback: true,
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}
