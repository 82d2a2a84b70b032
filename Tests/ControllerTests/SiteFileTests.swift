// The files of a site that oar.conf names, and the clock of the server's host.

import ClusterModel
import Glibc
import Kamelot
import Testing

@testable import Controller

/// A file of a test's own, removed with the value.
final class TemporaryFile {
  let path: String

  init(_ text: String) throws {
    var template = Array("/tmp/liburna-site-XXXXXX".utf8CString)
    let descriptor = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { mkstemp($0) } ?? -1
    }
    try #require(descriptor >= 0)
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    let bytes = Array(text.utf8)
    #expect(write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
  }

  deinit { unlink(path) }
}

/// Why settings are refused; `nil` if they are not.
private func problem(_ lines: String...) -> String? {
  do {
    _ = try settings(lines.joined(separator: "\n"))
    return nil
  } catch { return "\(error)" }
}

@Suite("Files of the site") struct SiteFileTests {
  @Test("without a word about them there are no quotas, and jobs are taken as they came")
  func defaults() throws {
    let settings = try ServerSettings(Configuration())
    #expect(settings.quotas == nil)
    #expect(settings.order.policy().isFIFO)
    #expect(!settings.order.needsUsage)
    #expect(try ServerSettings(Configuration(parsing: "QUOTAS=no")).quotas == nil)
  }

  @Test("a file with weights that is missing or wrong refuses the start, and names what is wrong")
  func weights() throws {
    #expect(problem("JOB_PRIORITY=LIFO")?.contains("FIFO, FAIRSHARE or MULTIFACTOR") == true)
    #expect(problem("JOB_PRIORITY=MULTIFACTOR")?.contains("PRIORITY_CONF_FILE") == true)
    let missing = problem("JOB_PRIORITY=MULTIFACTOR", "PRIORITY_CONF_FILE=/nowhere/weights")
    #expect(missing?.contains("PRIORITY_CONF_FILE=\"/nowhere/weights\"") == true)
    #expect(missing?.contains("No such file") == true)
    let file = try TemporaryFile("age_weight: 1\nage_wait: 2\n")
    let wrong = problem("JOB_PRIORITY=MULTIFACTOR", "PRIORITY_CONF_FILE=\(file.path)")
    #expect(wrong?.contains("line 2, key \"age_wait\"") == true)
    let good = try TemporaryFile("karma_weight: 1\n")
    let accepted = try settings(
      "JOB_PRIORITY=MULTIFACTOR\nPRIORITY_CONF_FILE=\(good.path)")
    #expect(accepted.order.needsUsage)
  }

  @Test("a file with quotas that is missing or no JSON object refuses the start")
  func quotas() throws {
    let missing = problem("QUOTAS=yes", "QUOTAS_CONF_FILE=/nowhere/quotas")
    #expect(missing?.contains("QUOTAS_CONF_FILE=\"/nowhere/quotas\"") == true)
    for text in ["", "[]", "{\"quotas\": {},}", "\u{1}"] {
      let file = try TemporaryFile(text)
      let problem = problem("QUOTAS=yes", "QUOTAS_CONF_FILE=\(file.path)")
      #expect(problem?.contains(file.path) == true, "\(text)")
    }
    #expect(problem("QUOTAS=maybe")?.contains("yes or no") == true)
    let file = try TemporaryFile("{}")
    let limit = problem(
      "QUOTAS=yes", "QUOTAS_CONF_FILE=\(file.path)", "QUOTAS_WINDOW_TIME_LIMIT=-1")
    #expect(limit?.contains("QUOTAS_WINDOW_TIME_LIMIT") == true)
  }

  @Test("changes of the clock are found to the second")
  func clock() {
    // As in central Europe: summer time from 28 March to 31 October 2027.
    let (spring, autumn) = (1_806_195_600, 1_824_944_400)
    let begin = 1_798_758_000
    func offset(_ instant: Instant) -> Seconds {
      spring <= instant && instant < autumn ? 7200 : 3600
    }
    let clock = LocalClock(from: begin, to: begin + LocalClock.systemHorizon, offset: offset)
    #expect(clock.change(after: begin) == spring)
    #expect(clock.change(after: spring) == autumn)
    #expect(clock.change(after: autumn) == nil)
    for instant in [begin, spring - 1, spring, autumn - 1, autumn, autumn + 86400] {
      #expect(clock.offset(at: instant) == offset(instant))
    }
  }

  @Test("the clock of this host shows what the C library says")
  func systemClock() {
    let begin = time(nil)
    let clock = LocalClock.ofThisHost(from: begin)
    for day in stride(from: 0, to: 730, by: 10) {
      var (instant, date) = (begin + day * 86400, tm())
      localtime_r(&instant, &date)
      #expect(clock.offset(at: instant) == date.tm_gmtoff)
    }
  }
}
