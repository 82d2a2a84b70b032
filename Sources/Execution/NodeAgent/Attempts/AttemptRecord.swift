// What an attempt leaves on the disk: one file of a fixed size, with how it began and how it ended.
//
// The shepherd makes, locks and writes it before anything runs. The end has its place in it from then on:
// writing it needs no further space and makes no new file.

import ClusterModel
import Wire

/// The record of an attempt, as text padded with zeros.
struct AttemptRecord: Equatable {
  /// The sizes of the file and of its first part, in bytes. The end begins a sector, and (but for a long
  /// text) fits into it: after a crash it is there or not.
  static let size = 4096
  static let endOffset = 2048

  var since: Instant
  var groupPath: String
  var isInteractive: Bool

  private static let title = "liburna-attempt 1"

  init(since: Instant, groupPath: String, isInteractive: Bool) {
    self.since = since
    self.groupPath = groupPath
    self.isInteractive = isInteractive
  }

  /// The whole file, of an attempt that has not ended.
  var bytes: [UInt8] {
    let text = "\(Self.title)\nsince \(since)\ncgroup \(groupPath)\ninteractive \(isInteractive)\n"
    var bytes = Array(text.utf8)
    bytes += [UInt8](repeating: 0, count: Self.size - bytes.count)
    return bytes
  }

  /// `nil` if the record was not written.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.size else { return nil }
    let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count == 5, lines[0] == Self.title, lines[1].hasPrefix("since "),
      let since = Instant(lines[1].dropFirst(6)), lines[2].hasPrefix("cgroup "),
      lines[3].hasPrefix("interactive ")
    else { return nil }
    self.since = since
    groupPath = String(lines[2].dropFirst(7))
    isInteractive = lines[3] == "interactive true"
  }
}

extension AttemptStatus {
  /// The end as it is kept in the record's second part; empty for what has not ended.
  var recordBytes: [UInt8] {
    let line: String
    switch self {
    case .running: return []
    case .ended(let status, let cause, let at): line = "ended \(status) \(cause.rawValue) \(at)"
    case .failed(let kind, let text): line = "failed \(kind.rawValue) \(text)"
    }
    // The closing line end tells a whole text from a torn one.
    let text = line.utf8.prefix(AttemptRecord.size - AttemptRecord.endOffset - 1)
    return text.map { $0 < 32 ? 32 : $0 } + [UInt8(ascii: "\n")]
  }

  /// The end in a record; `nil` if there is none.
  init?(record bytes: [UInt8]) {
    guard bytes.count == AttemptRecord.size else { return nil }
    let text = String(decoding: bytes[AttemptRecord.endOffset...].prefix { $0 != 0 }, as: UTF8.self)
    guard text.hasSuffix("\n") else { return nil }
    let words = text.dropLast().split(separator: " ")
    if words.count == 4, words[0] == "ended", let status = Int(words[1]),
      let cause = EndCause(rawValue: String(words[2])), let at = Instant(words[3])
    {
      self = .ended(status: status, cause: cause, at: at)
    } else if words.count >= 2, words[0] == "failed",
      let kind = LaunchFailure(rawValue: String(words[1]))
    {
      self = .failed(kind, words.dropFirst(2).joined(separator: " "))
    } else {
      return nil
    }
  }
}

extension AttemptID {
  /// The attempt that a file or directory is named after.
  init?(fileName: String) {
    let parts = fileName.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let job = Int(parts[0]), let number = Int(parts[1]) else { return nil }
    self.init(job: job, number: number)
    guard description == fileName else { return nil }
  }
}
