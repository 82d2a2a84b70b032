// Trying what goes wrong in a cluster: hosts that stand still, that lose their power, and whose network
// is cut or slow.

import Compositions
import Glibc

/// How a host is connected with the others.
public enum LinkState: Equatable, Codable, Sendable {
  case whole
  /// Nothing comes through, in either direction.
  case cut
  case slow(LinkSlowness)

  public var description: String {
    switch self {
    case .whole: "whole"
    case .cut: "cut"
    case .slow(let slowness): "slow (\(slowness.description))"
    }
  }
}

/// What makes a link slow, for what a host is sent.
public struct LinkSlowness: Equatable, Codable, Sendable {
  /// Milliseconds by which each packet is late, or nil for none.
  public var delay: Int?
  /// The most kilobits in a second, or nil for no limit.
  public var rate: Int?

  public static let delayLimits = 1...60_000
  public static let rateLimits = 8...10_000_000

  public init(delay: Int? = nil, rate: Int? = nil) { (self.delay, self.rate) = (delay, rate) }

  public var description: String {
    [delay.map { "\($0) ms late" }, rate.map { "\($0) kbit/s" }].compactMap { $0 }
      .joined(separator: ", ")
  }
}

extension Lab {
  /// A host dies at once, as when its power fails: all its processes are killed. Its disk stays.
  public func kill(_ host: String) throws {
    try change(host) { state, backend in
      try backend.end(host, in: state)
      state.update(host) { found in
        (found.first, found.id, found.isPaused, found.link) = (nil, nil, false, .whole)
      }
    }
  }

  /// All processes of a host stand still, or go on.
  public func pause(_ host: String, _ isPaused: Bool) throws {
    try changeLiving(host) { state, backend in
      try backend.pause(host, isPaused, in: state)
      state.update(host) { $0.isPaused = isPaused }
    }
  }

  /// Cuts a host's link, makes it slow, or mends it.
  public func link(_ host: String, _ link: LinkState) throws {
    try changeLiving(host) { state, backend in
      try backend.link(host, link, in: state)
      state.update(host) { $0.link = link }
    }
  }

  private func changeLiving(
    _ host: String, _ body: (inout LabState, any Backend) throws -> Void
  ) throws {
    try change(host) { state, backend in
      guard let found = state.host(host), backend.isAlive(found, in: state) else {
        throw LabError("it is down; `liburna lab start --keep` brings it back", host: host)
      }
      try body(&state, backend)
    }
  }

  /// Changes the state of a lab with the lock held.
  private func change(
    _ host: String, _ body: (inout LabState, any Backend) throws -> Void
  ) throws {
    guard let lock = try LabLock(existing: paths.directory) else { throw absent }
    defer { lock.release() }
    var state = try existing()
    guard state.host(host) != nil else { throw unknown(host, in: state) }
    try body(&state, try state.settings.backend.backend(for: self))
    try state.write(to: paths.state)
  }
}
