// A way to a server that can be cut: connections are passed on byte by byte, until they are not.

import Dispatch
import Glibc
import Synchronization

package final class Relay: Sendable {
  /// What becomes of connections.
  package enum Way: Sendable {
    case open
    /// Those that there are end, new ones are refused.
    case cut
    /// They stay, and nothing comes through.
    case silent
  }

  private struct State {
    var way = Way.open
    var sockets: Set<Int32> = []
  }

  package let port: Int
  private let listener: Int32
  private let target: Int
  private let state = Mutex(State())

  package var url: String { "https://127.0.0.1:\(port)" }

  /// - Parameter target: a port of 127.0.0.1.
  package init(to target: Int) throws {
    self.target = target
    (listener, port) = try listeningSocket()
    let listener = listener
    DispatchQueue(label: "relay").async { [weak self] in
      while true {
        let accepted = accept(listener, nil, nil)
        guard accepted >= 0 else { return }
        guard let self else {
          close(accepted)
          return
        }
        self.begin(accepted)
      }
    }
  }

  package var way: Way {
    get { state.withLock { $0.way } }
    set {
      state.withLock { state in
        state.way = newValue
        guard newValue == .cut else { return }
        for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
      }
    }
  }

  /// Ends everything.
  package func stop() {
    way = .cut
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private func begin(_ accepted: Int32) {
    let onward = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(target).bigEndian
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(onward, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    let isWanted = state.withLock { state in
      guard code == 0, state.way != .cut else { return false }
      state.sockets.formUnion([accepted, onward])
      return true
    }
    guard isWanted else {
      close(accepted)
      close(onward)
      return
    }
    let ends = DispatchGroup()
    for (from, to) in [(accepted, onward), (onward, accepted)] {
      DispatchQueue(label: "relay way").async(group: ends) { [self] in pass(from, to) }
    }
    ends.notify(queue: DispatchQueue(label: "relay end")) { [self] in
      state.withLock { $0.sockets.subtract([accepted, onward]) }
      close(accepted)
      close(onward)
    }
  }

  private func pass(_ from: Int32, _ to: Int32) {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = recv(from, &chunk, chunk.count, 0), count > 0 {
      // What is silent keeps what it was given.
      while way == .silent { usleep(20_000) }
      var done = 0
      while done < count {
        let sent = chunk.withUnsafeBytes {
          send(to, $0.baseAddress.map { $0 + done }, count - done, Int32(MSG_NOSIGNAL))
        }
        guard sent > 0 else { return end(from, to) }
        done += sent
      }
    }
    end(from, to)
  }

  private func end(_ from: Int32, _ to: Int32) {
    shutdown(from, Int32(SHUT_RDWR))
    shutdown(to, Int32(SHUT_RDWR))
  }
}
