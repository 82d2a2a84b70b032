// What the hosts and services of a lab write: their log files, line by line, as they are and as they
// grow. Logs that appear later, and those of a lab that is started again, are followed as well.

import Glibc

/// A line of a log.
public struct LabLogLine: Equatable, Sendable {
  public var host: String
  /// `boot` for the host's own first process.
  public var service: String
  public var text: String
}

/// The log of one service of a host.
struct LabLogFile: Equatable {
  var host: String
  var service: String
  var path: String
}

extension Lab {
  /// The logs that there are now, in the order of the hosts; none if there is no lab.
  func logFiles() -> [LabLogFile] {
    let order = (try? state())?.hosts.map(\.name) ?? []
    let found = Files.list(paths.allLogs)
    let hosts = order.filter(found.contains) + found.filter { !order.contains($0) }
    return hosts.flatMap { host in
      Files.list(paths.logs(host)).filter { $0.hasSuffix(".log") }.map { name in
        LabLogFile(
          host: host, service: String(name.dropLast(4)), path: paths.logs(host) + "/" + name)
      }
    }
  }
}

/// Reads the logs of a lab.
public struct LogFollower {
  private struct Place {
    var device: dev_t
    var inode: ino_t
    /// The next byte to be read.
    var offset: Int
    /// A line of which the end was not written yet.
    var rest: [UInt8] = []
  }

  private let lab: Lab
  private let hosts: Set<String>
  private let service: String?
  private let tail: Int?
  private var places: [String: Place] = [:]
  private var isFirst = true
  /// When logs that are kept elsewhere are asked for again, in milliseconds.
  private var nextFetch: Int64 = 0

  /// A line that is longer is shown in pieces of so many bytes.
  private static let lineLimit = 65_536
  /// How often to look for what was written, in milliseconds.
  private static let pause: Int32 = 100
  /// How often logs that are kept elsewhere are asked for, in milliseconds.
  private static let fetchPause: Int64 = 1000

  /// - Parameters:
  ///   - hosts: those of which the logs are wanted; none for all, also those that join.
  ///   - service: the only service that is wanted, or nil.
  ///   - tail: how many of the last lines of each log to begin with; nil for all.
  public init(_ lab: Lab, hosts: [String], service: String?, tail: Int?) {
    self.lab = lab
    self.hosts = Set(hosts)
    self.service = service
    self.tail = tail
  }

  /// Shows what was written since the last time. A line without an end is shown with `all` only.
  public mutating func read(all: Bool, _ show: (LabLogLine) -> Void) {
    if Deadline.now >= nextFetch {
      lab.bringLogs(of: hosts)
      nextFetch = Deadline.now + Self.fetchPause
    }
    for log in lab.logFiles() where isWanted(log) { read(log, all: all, show) }
    isFirst = false
  }

  /// The services of the wanted hosts that have logs now, in alphabetical order.
  public func services() -> [String] {
    Set(lab.logFiles().filter { hosts.isEmpty || hosts.contains($0.host) }.map(\.service)).sorted()
  }

  private func isWanted(_ log: LabLogFile) -> Bool {
    (hosts.isEmpty || hosts.contains(log.host)) && (service ?? log.service) == log.service
  }

  private mutating func read(_ log: LabLogFile, all: Bool, _ show: (LabLogLine) -> Void) {
    var status = stat()
    guard stat(log.path, &status) == 0 else { return }
    var place =
      places[log.path] ?? Place(device: status.st_dev, inode: status.st_ino, offset: 0)
    let isNew = places[log.path] == nil
    let size = Int(status.st_size)
    // Another file of the name, or one that was cut: a lab that was started again.
    if place.inode != status.st_ino || place.device != status.st_dev || size < place.offset {
      place = Place(device: status.st_dev, inode: status.st_ino, offset: 0)
    }
    defer { places[log.path] = place }
    guard size > place.offset || all else { return }
    let descriptor = open(log.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    if isFirst, isNew, let tail {
      place.offset = Files.offset(ofLast: tail, in: descriptor, size: size)
    }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let got = pread(descriptor, &chunk, chunk.count, off_t(place.offset))
      guard got > 0 else { break }
      place.offset += got
      take(chunk[0..<got], into: &place.rest, of: log, show)
    }
    if all, !place.rest.isEmpty {
      show(Self.line(place.rest[...], of: log))
      place.rest = []
    }
  }

  private func take(
    _ bytes: ArraySlice<UInt8>, into rest: inout [UInt8], of log: LabLogFile,
    _ show: (LabLogLine) -> Void
  ) {
    var bytes = bytes
    while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
      show(Self.line((rest + bytes[..<end])[...], of: log))
      rest = []
      bytes = bytes[(end + 1)...]
    }
    rest += bytes
    if rest.count >= Self.lineLimit {
      show(Self.line(rest[...], of: log))
      rest = []
    }
  }

  private static func line(_ bytes: ArraySlice<UInt8>, of log: LabLogFile) -> LabLogLine {
    LabLogLine(
      host: log.host, service: log.service, text: String(decoding: bytes, as: UTF8.self))
  }

  /// Shows what is written until a signal asks for the end, as control-C does, or until `flush`,
  /// called after every look, says that nobody reads any more.
  public mutating func follow(_ show: (LabLogLine) -> Void, flush: () -> Bool) {
    let ending = EndingSignals()
    defer { ending.restore() }
    repeat {
      read(all: false, show)
      guard flush() else { return }
    } while !ending.came(within: Self.pause)
  }
}

/// The signals that ask a program to end, waited for instead of acting.
struct EndingSignals {
  private let descriptor: Int32
  private var before = sigset_t()

  init() {
    pthread_sigmask(SIG_BLOCK, nil, &before)
    descriptor = SignalRelay.open([SIGINT, SIGTERM, SIGHUP])
  }

  /// Whether one came, after so many milliseconds at most.
  func came(within milliseconds: Int32) -> Bool {
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&wait, 1, milliseconds) == 1 && SignalRelay.next(descriptor) != nil
  }

  /// Signals act again as before.
  func restore() {
    var mask = before
    pthread_sigmask(SIG_SETMASK, &mask, nil)
    close(descriptor)
  }
}

extension Files {
  /// Where the last so many lines of a file begin.
  static func offset(ofLast lines: Int, in descriptor: Int32, size: Int) -> Int {
    guard lines > 0 else { return size }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    var seen = 0
    // The last byte is not looked at: the end of the last line begins no other.
    var end = size - 1
    while end > 0 {
      let start = max(0, end - chunk.count)
      guard pread(descriptor, &chunk, end - start, off_t(start)) == end - start else { return 0 }
      for place in (0..<(end - start)).reversed() where chunk[place] == UInt8(ascii: "\n") {
        seen += 1
        if seen == lines { return start + place + 1 }
      }
      end = start
    }
    return 0
  }
}
