// Several commands of the lab in one line: where one ends and the next begins.

import Testing

@testable import AdminCommands
@testable import CommandLine

@Suite("Commands of the lab in one line")
struct LabChainTests {
  private func split(_ words: String...) throws -> [String] {
    try LabChain.split(words, verbs: LabCommand.verbs)
      .map { ([$0.name] + $0.words).joined(separator: " ") }
  }

  private func call(_ words: String...) -> CallResult {
    let output = TextStream()
    let errors = TextStream()
    let context = CommandContext(
      words: ["lab"] + words, output: output, errors: errors, input: -1, variable: { _ in nil },
      connect: { _ in throw ServerUnreachable(reason: "there is none") })
    let code = LabCommand.call(in: context)
    return CallResult(code: code, output: output.captured, errors: errors.captured)
  }

  @Test("a command's name begins the next command, values of options do not")
  func names() throws {
    #expect(
      try split("start", "-n", "4", "connect", "frontend") == ["start -n 4", "connect frontend"])
    #expect(try split("start", "-e", "stop", "stop") == ["start -e stop", "stop"])
    #expect(try split("start", "--env=stop", "stop") == ["start --env=stop", "stop"])
    #expect(
      try split("stop", "start", "-kn4", "status", "--json")
        == ["stop", "start -kn4", "status --json"])
  }

  @Test("a word that a command can't do without may be any word")
  func neededWords() throws {
    #expect(try split("kill", "start", "start") == ["kill start", "start"])
    #expect(try split("kill", "node1", "status") == ["kill node1", "status"])
  }

  @Test("after -- every word belongs to the command before it")
  func dashes() throws {
    #expect(try split("connect", "--", "start", "stop") == ["connect -- start stop"])
    #expect(try split("connect", "start") == ["connect", "start"])
  }

  @Test("exec takes all that follows")
  func rest() throws {
    #expect(
      try split("start", "exec", "-l", "user1", "node1", "echo", "stop", "-n", "start")
        == ["start", "exec -l user1 node1 echo stop -n start"])
    #expect(try split("exec", "start", "stop") == ["exec start stop"])
  }

  @Test("a line is checked as a whole before anything is done")
  func checkedFirst() {
    let stray = call("stop", "--name", "unit-test", "frob")
    #expect(stray.code == 1)
    #expect(stray.errors.contains("\"frob\" means nothing after stop; the commands are"))
    let option = call("status", "--name", "unit-test", "start", "--frob")
    #expect(option.code == 1)
    #expect(option.output.isEmpty)
    #expect(option.errors.contains("Unknown option: frob"))
    #expect(call("kill").errors.contains("The name of a host is needed after kill"))
    #expect(call("frob").errors.contains("There is no command \"frob\""))
  }

  @Test("the first that fails ends the line with its code, and what was not done is told")
  func failure() {
    let result = call("--name", "unit-test-none", "status", "status", "doctor")
    #expect(result.code == 3)
    #expect(result.output == "There is no lab unit-test-none.\n")
    #expect(result.errors.contains("Not done after status: status, doctor."))
  }

  @Test("the help of a command in a line is all that is done")
  func help() {
    let result = call("status", "start", "--help")
    #expect(result.code == 0)
    #expect(result.output == LabStart.definition.helpText)
  }

  @Test("every command has help within 80 columns, a manual page and no name twice")
  func tables() {
    for (name, type) in LabCommand.verbs {
      let help = call("help", name)
      #expect(help.output == type.definition.helpText, "\(name)")
      #expect(help.output == call(name, "--help").output, "\(name)")
      for line in help.output.split(separator: "\n").dropFirst() {
        #expect(line.count <= 80, "\(name): \(line)")
      }
      #expect(call("man", name).output.hasPrefix(".TH LIBURNA-LAB-\(name.uppercased()) 1"))
      let names = type.definition.options.flatMap(\.definition.dashed)
      #expect(Set(names).count == names.count, "\(name)")
      #expect(call().output.contains("\n  \(name) "))
    }
  }
}
