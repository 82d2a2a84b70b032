// What users get wrong: each call is refused with the value and an exit code, and changes nothing.

import LabFixture
import Testing

/// A call that must be refused.
struct BadCall: Sendable, CustomTestStringConvertible {
  var words: [String]
  var code: Int32
  /// What the answer must contain.
  var text: String

  init(_ words: String..., code: Int32, text: String) {
    self.words = words
    self.code = code
    self.text = text
  }

  var testDescription: String {
    words.map { $0.count > 60 ? $0.prefix(40) + "… (\($0.count) characters)" : $0 }
      .joined(separator: " ")
  }

  static let megabyte = String(repeating: "a", count: 120_000)

  static let all: [BadCall] = [
    BadCall("oarsub", "-l", "nodes=0", "true", code: 255, text: "nodes=0"),
    BadCall("oarsub", "-l", "foo=1", "true", code: 8, text: "foo"),
    BadCall(
      "oarsub", "-l", "{host='node1'/core=1", "true", code: 255, text: "{host='node1'/core=1"),
    BadCall("oarsub", "-l", "host='node1'}/core=1", "true", code: 255, text: "host='node1'}"),
    BadCall(
      "oarsub", "-l", "nodes=99999999999999999999", "true", code: 255, text: "99999999999999999999"),
    BadCall("oarsub", "-l", "nodes=-1", "true", code: 255, text: "nodes=-1"),
    BadCall("oarsub", "-l", "nodes=x", "true", code: 255, text: "nodes=x"),
    BadCall("oarsub", "-l", "core", "true", code: 255, text: "core"),
    BadCall("oarsub", "-l", "", "true", code: 255, text: "Cannot recognize"),
    BadCall("oarsub", "-l", "core=1,walltime=abc", "true", code: 255, text: "walltime=abc"),
    BadCall(
      "oarsub", "-l", "core=1,walltime=99999999999999999999:0:0", "true", code: 255,
      text: "99999999999999999999"),
    BadCall("oarsub", "-l", megabyte, "true", code: 255, text: "aaaa"),
    BadCall("oarsub", "-l", "nodes=100", "true", code: 8, text: "There are not enough resources"),
    BadCall(
      "oarsub", "-l", "nodes=1/core=5", "true", code: 8, text: "There are not enough resources"),
    BadCall(
      "oarsub", "-p", "host = 'nowhere'", "true", code: 8, text: "There are not enough resources"),
    BadCall(
      "oarsub", "-l", "cpuset=1", "true", code: 254, text: "'cpuset' resource is not allowed"),
    BadCall("oarsub", "-p", "host = ", "true", code: 8, text: "host = "),
    BadCall("oarsub", "-p", "nosuch = 1", "true", code: 8, text: "nosuch"),
    BadCall("oarsub", "-p", "host = 'node1'; DROP TABLE jobs", "true", code: 8, text: ";"),
    BadCall("oarsub", "-q", "nosuch", "true", code: 248, text: "nosuch"),
    BadCall("oarsub", "-t", "nosuch", "true", code: 254, text: "unknown job type: nosuch"),
    BadCall("oarsub", "-d", "relative/nowhere", "true", code: 8, text: "relative/nowhere"),
    BadCall("oarsub", "-d", "/root", "true", code: 8, text: "/root"),
    BadCall("oarsub", "-d", "/no/such/place", "true", code: 8, text: "/no/such/place"),
    BadCall("oarsub", "-a", "99999", "true", code: 8, text: "99999"),
    BadCall("oarsub", "-a", "abc", "true", code: 1, text: "abc"),
    BadCall("oarsub", "--array", "0", "true", code: 6, text: "0"),
    BadCall("oarsub", "--array", "9999999", "true", code: 8, text: "9999999"),
    BadCall(
      "oarsub", "--array-param-file", "/no/such/file", "true", code: 12, text: "/no/such/file"),
    BadCall("oarsub", "-S", "/no/such/script", code: 12, text: "/no/such/script"),
    BadCall("oarsub", "-r", "tomorrow", "true", code: 7, text: "reservation date"),
    BadCall("oarsub", code: 5, text: "Usage: oarsub"),
    BadCall("oarsub", "--no-such-option", "true", code: 1, text: "no-such-option"),
    BadCall("oarsub", "-C", "99999", code: 20, text: "99999"),
    BadCall("oarsub", "--resubmit", "99999", code: 4, text: "99999"),
    BadCall("oardel", "99999", code: 1, text: "99999"),
    BadCall("oardel", "abc", code: 4, text: "\"abc\" is not a valid job identifier"),
    BadCall("oardel", "-s", "NOSUCH", "1", code: 5, text: "NOSUCH"),
    BadCall("oardel", "--sql", "nosuch = 1", code: 1, text: "nosuch"),
    BadCall("oarhold", "99999", code: 1, text: "99999"),
    BadCall("oarhold", "abc", code: 2, text: "abc"),
    BadCall("oarresume", "99999", code: 1, text: "99999"),
    BadCall("oarstat", "--sql", "nosuch = 1", code: 1, text: "nosuch"),
    BadCall("oarstat", "--sql", "job_id = 1; DROP TABLE jobs", code: 1, text: ";"),
    BadCall("oarstat", "-j", "abc", code: 255, text: "abc"),
    BadCall("oarstat", "--why", "99999", code: 1, text: "99999"),
    BadCall("oarnodes", "--sql", "nosuch = 1", code: 1, text: "nosuch"),
  ]
}

@Suite("Bad input", .serialized, .lab("bad", nodes: 2))
struct BadInputStories {
  @Test("is refused with the value and an exit code, and changes nothing", arguments: BadCall.all)
  func refused(_ call: BadCall) async throws {
    let lab = try LabFixture.here
    if try await lab.jobs("-u").isEmpty { _ = try await lab.submit("--hold", "true") }
    let before = try await lab.run("oarstat", "--json", "--sql", "job_id > 0").stdout
    let result = try await lab.run(call.words)
    #expect(result.exitCode == call.code, "\(result)")
    let answer = result.stdout + result.stderr
    #expect(answer.contains(call.text), "\(result)")
    #expect(answer.utf8.count < 20_000, "the answer is \(answer.utf8.count) bytes long")
    #expect(try await lab.run("oarstat", "--json", "--sql", "job_id > 0").stdout == before)
  }

  @Test("a megabyte of request in a script is refused, not believed and not fatal")
  func megabyte() async throws {
    let lab = try LabFixture.here
    let line = String(repeating: "nodes=1+", count: 130_000)
    try await lab.write("#!/bin/bash\n#OAR -l \(line)\ntrue\n", to: "huge.sh")
    try await lab.shell("chmod +x huge.sh")
    let result = try await lab.run("oarsub", "-S", "./huge.sh")
    #expect(result.exitCode != 0)
    #expect((result.stdout + result.stderr).utf8.count < 20_000)
    let command = try await lab.run(
      "bash", "-c", "printf 'x %.0s' {1..200000} > many; oarsub --array-param-file many true; echo")
    #expect(command.exitCode == 0)
    #expect(try await lab.run("oarstat").exitCode == 0)
  }
}
