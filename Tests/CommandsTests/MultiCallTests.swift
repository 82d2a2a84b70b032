// One program with many names; help, manual pages and completion from the commands' tables.

import ClusterModel
import Glibc
import Testing

@testable import AdminCommands
@testable import CommandLine
@testable import UserCommands

@Suite("One program, many commands")
struct MultiCallTests {
  private static let program = MultiCall(
    program: "liburna",
    commands: [
      ("oarsub", Oarsub.self), ("oardel", Oardel.self), ("oarhold", Oarhold.self),
      ("oarresume", Oarresume.self), ("oarsh", Oarsh.self), ("oarstat", Oarstat.self),
      ("status", StatusCommand.self), ("lab", LabCommand.self),
    ] + adminCommands)

  private func call(_ words: String...) -> CallResult {
    let output = TextStream()
    let errors = TextStream()
    let context = CommandContext(
      words: words, output: output, errors: errors, input: -1, variable: { _ in nil },
      connect: { _ in throw ServerUnreachable(reason: "there is none") })
    let code = Self.program.run(in: context)
    return CallResult(code: code, output: output.captured, errors: errors.captured)
  }

  @Test("the name of the call says which command is meant, with or without a path")
  func names() {
    #expect(call("/usr/bin/oardel", "abc").code == 4)
    #expect(call("oarhold", "abc").code == 2)
    #expect(call("oarsub", "status").code == 9)
  }

  @Test("so does the first word after the program's own name")
  func firstWords() {
    #expect(call("liburna", "oardel", "abc").code == 4)
    #expect(call("liburna", "status").code == 2)
  }

  @Test("an unknown word is refused with what to do")
  func unknown() {
    let result = call("liburna", "frob")
    #expect(result.code == 1)
    #expect(result.errors.contains("\"frob\""))
    #expect(result.errors.contains("liburna help"))
  }

  @Test("the overview names every command")
  func overview() {
    for words in [["liburna"], ["liburna", "help"], ["liburna", "--help"]] {
      let output = TextStream()
      let context = CommandContext(
        words: words, output: output, errors: TextStream(), input: -1, variable: { _ in nil },
        connect: { _ in throw ServerUnreachable(reason: "") })
      #expect(Self.program.run(in: context) == 0)
      for name in Self.program.commands.map(\.name) {
        #expect(output.captured.contains("\n  \(name) "))
      }
    }
  }

  @Test("the version has OAR's shape for OAR's commands")
  func version() {
    #expect(call("oarsub", "-V").output == "OAR version : 2.5.9 (Liburna \(liburnaVersion))\n")
    #expect(call("liburna", "--version").output == "Liburna \(liburnaVersion)\n")
  }

  @Test("help lists every option of every command within 80 columns")
  func help() {
    for (name, type) in Self.program.commands {
      let help = call("liburna", "help", name).output
      #expect(help == call("liburna", name, "--help").output)
      for option in type.definition.options.map(\.definition.usage) {
        #expect(help.contains(option), "\(name) \(option)")
      }
      for line in help.split(separator: "\n").dropFirst(type.definition.synopsis.count) {
        #expect(line.count <= 80, "\(name): \(line)")
      }
    }
  }

  @Test("no command has two options of one name")
  func uniqueNames() {
    for (name, type) in Self.program.commands {
      let names = type.definition.options.flatMap(\.definition.dashed)
      #expect(Set(names).count == names.count, "\(name)")
    }
  }

  @Test("a manual page has the options, and no line that troff would take for a request")
  func manualPage() {
    let page = call("liburna", "man", "oardel").output
    #expect(page.hasPrefix(".TH OARDEL 1"))
    #expect(page.contains(".B \\-s, \\-\\-signal=SIGNAL\n"))
    let requests = [".TH", ".SH", ".TP", ".B ", ".PP", ".br"]
    for (name, _) in Self.program.commands {
      for line in call("liburna", "man", name).output.split(separator: "\n")
      where line.hasPrefix(".") || line.hasPrefix("'") {
        #expect(requests.contains { line.hasPrefix($0) }, "\(name): \(line)")
      }
    }
  }

  @Test("the program has a page of its own, and every command writes its page for a package")
  func pagesForPackages() {
    let page = call("liburna", "man", "liburna").output
    #expect(page.hasPrefix(".TH LIBURNA 1 "))
    for name in Self.program.commands.map(\.name) { #expect(page.contains(".B \(name)\n")) }
    #expect(call("oardel", "--manual-page").output == call("liburna", "man", "oardel").output)
  }

  @Test("completion is offered for each shell, and an unknown shell is refused")
  func completion() {
    for shell in CompletionShell.allCases {
      let script = call("liburna", "completion", shell.rawValue)
      #expect(script.code == 0)
      #expect(script.output.contains("oarsub"))
      #expect(script.output.contains("array-param-file"))
    }
    #expect(call("liburna", "completion", "tcsh").errors.contains("bash, zsh, fish"))
  }

  /// What bash offers for a line whose last word is being typed.
  private func offered(by script: String, _ line: String) throws -> [String] {
    let words = line.split(separator: " ", omittingEmptySubsequences: false)
    let program =
      script + "COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " ")))\n"
      + "COMP_CWORD=\(words.count - 1)\n_liburna_complete\necho ${COMPREPLY[@]}\n"
    let path = "/tmp/liburna-completion-\(getpid())"
    let file = try #require(fopen(path, "w"))
    defer { unlink(path) }
    fputs(program, file)
    fclose(file)
    let pipe = try #require(popen("bash \(path) 2>&1", "r"))
    defer { pclose(pipe) }
    var text = [CChar](repeating: 0, count: 65_536)
    let read = fread(&text, 1, text.count, pipe)
    return String(decoding: text[..<read].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      .split { $0 == " " || $0 == "\n" }.map(String.init)
  }

  @Test("bash completes commands, the lab's commands in a row, and the options of the last")
  func bashCompletion() throws {
    let all = call("liburna", "completion", "bash").output
    #expect(try offered(by: all, "liburna oars") == ["oarsub", "oarsh", "oarstat"])
    #expect(try offered(by: all, "oardel --sig") == ["--signal"])
    for script in [all, call("liburna", "lab", "completion", "bash").output] {
      #expect(try offered(by: script, "liburna lab st") == ["start", "status", "stop"])
      #expect(try offered(by: script, "liburna lab start -n 4 conn") == ["connect"])
      #expect(try offered(by: script, "liburna lab start connect --sy") == ["--sync"])
      #expect(try offered(by: script, "liburna lab --na") == ["--name"])
    }
  }

  @Test("the lab's help lists its commands, and its manual pages have titles of one word")
  func labHelp() {
    let help = call("liburna", "lab", "--help").output
    #expect(help.contains("  snapshot   Keep the disks"))
    #expect(call("liburna", "lab", "man", "start").output.hasPrefix(".TH LIBURNA-LAB-START 1 "))
  }
}
