// The habits of Getopt::Long (gnu_getopt), as Perl shows them for the same words.

import Testing

@testable import CommandLine

@Suite("Options are read as Perl's Getopt::Long reads them")
struct OptionParserTests {
  enum Option {
    static let list = Key<[String]>.texts("-l", "--resource", value: "R", help: "")
    static let array = Key<Int?>.integer("--array", value: "N", help: "")
    static let file = Key<String?>.text("--array-param-file", value: "F", help: "")
    static let flag = Key<Bool>.flag("-I", "--interactive", help: "")
    static let connect = Key<Int?>.integer("-C", "--connect", value: "JOB", help: "")
    static let job = Key<[String?]>.optionalTexts("-j", "--job", value: "JOB", help: "")
    static let queue = Key<String?>.text("-q", "--queue", value: "Q", help: "")
    static let stage = Key<String?>.text("-s", "--stagein", value: "S", help: "")
    static let sum = Key<String?>.text("--stagein-md5sum", value: "S", help: "")
  }

  let definition = CommandDefinition(
    "test", "a test", synopsis: [""],
    options: [
      Option.list, Option.array, Option.file, Option.flag, Option.connect, Option.job, Option.queue,
      Option.stage, Option.sum,
    ])

  func parse(_ words: String...) throws -> ParsedArguments { try definition.parse(words) }

  func faults(_ words: String...) -> [String] {
    do throws(UsageError) {
      _ = try definition.parse(words)
      return []
    } catch {
      return error.messages
    }
  }

  @Test("a value follows its letter at once, its name after = or a blank")
  func values() throws {
    #expect(try parse("-lfoo")[Option.list] == ["foo"])
    #expect(try parse("-l=foo")[Option.list] == ["=foo"])
    #expect(
      try parse("--resource", "a", "--resource=b", "-l", "c")[Option.list] == ["a", "b", "c"])
    #expect(try parse("--resource=a=b")[Option.list] == ["a=b"])
    #expect(try parse("--queue=")[Option.queue] == "")
  }

  @Test("the last use of a single option counts")
  func lastUse() throws {
    #expect(try parse("-q", "a", "-q", "b")[Option.queue] == "b")
  }

  @Test("letters are bundled, and the last may take a value")
  func bundles() throws {
    let bundled = try parse("-Il", "x", "y")
    #expect(bundled[Option.flag])
    #expect(bundled[Option.list] == ["x"])
    #expect(bundled.operands == ["y"])
    let number = try parse("-C12I")
    #expect(number[Option.connect] == 12)
    #expect(number[Option.flag])
  }

  @Test("names may be shortened as long as only one option is meant, and case does not matter")
  func prefixes() throws {
    #expect(try parse("--res", "a")[Option.list] == ["a"])
    #expect(try parse("--Queue", "x")[Option.queue] == "x")
    #expect(try parse("--array", "3")[Option.array] == 3)
    #expect(try parse("--stagein", "x")[Option.stage] == "x")
    #expect(try parse("--q", "x")[Option.queue] == "x")
    #expect(faults("--arr", "3") == ["Option arr is ambiguous (array, array-param-file)"])
    #expect(faults("--stage", "x") == ["Option stage is ambiguous (stagein, stagein-md5sum)"])
  }

  @Test("letters are not names in another case")
  func letterCase() {
    #expect(faults("-i") == ["Unknown option: i"])
  }

  @Test("operands may stand between options, and -- ends the options")
  func operands() throws {
    let mixed = try parse("a", "-I", "b", "-")
    #expect(mixed[Option.flag])
    #expect(mixed.operands == ["a", "b", "-"])
    #expect(try parse("--", "-I").operands == ["-I"])
    #expect(try !parse("--", "-I")[Option.flag])
  }

  @Test("a text that must come takes anything, even what looks like an option")
  func greedyTexts() throws {
    let arguments = try parse("-l", "--", "a")
    #expect(arguments[Option.list] == ["--"])
    #expect(arguments.operands == ["a"])
    #expect(try parse("-q", "-I")[Option.queue] == "-I")
    #expect(try parse("--array", "-3")[Option.array] == -3)
    #expect(try parse("--array", "+3")[Option.array] == 3)
  }

  @Test("a text that may come takes the next word unless that is an option")
  func optionalTexts() throws {
    #expect(try parse("-j", "-I")[Option.job] == [nil])
    #expect(try parse("-jfoo")[Option.job] == ["foo"])
    #expect(try parse("--job", "5", "x")[Option.job] == ["5"])
    #expect(try parse("--job=")[Option.job] == [""])
    #expect(try parse("-j5", "-j6")[Option.job] == ["5", "6"])
    #expect(try parse("-Ij", "--", "x").operands == ["x"])
    #expect(try parse()[Option.job] == [])
  }

  @Test(
    "a call that does not fit says which word and why",
    arguments: [
      (["--nosuch"], ["Unknown option: nosuch"]),
      (["-Iz"], ["Unknown option: z"]),
      (["-z", "-y"], ["Unknown option: z", "Unknown option: y"]),
      (["--=x"], ["Unknown option: =x"]),
      (["--array", "x"], ["Value \"x\" invalid for option array (number expected)"]),
      (["--array", "0x10"], ["Value \"0x10\" invalid for option array (number expected)"]),
      (["--array="], ["Value \"\" invalid for option array (number expected)"]),
      (
        ["--array", "99999999999999999999"],
        ["Value \"99999999999999999999\" invalid for option array (number out of range)"]
      ),
      (["-C", "abc"], ["Value \"abc\" invalid for option C (number expected)"]),
      (["-C12x"], ["Unknown option: x"]),
      (["-q"], ["Option q requires an argument"]),
      (["--queue"], ["Option queue requires an argument"]),
      (["--interactive=3"], ["Option interactive does not take an argument"]),
    ])
  func faultyCalls(words: [String], messages: [String]) {
    do throws(UsageError) {
      _ = try definition.parse(words)
      Issue.record("\(words) was accepted")
    } catch {
      #expect(error.messages == messages)
    }
  }

  @Test("a huge word is not repeated in full, and a bundle of a million letters gives few messages")
  func hugeWords() {
    let huge = String(repeating: "9", count: 1 << 20) + "x"
    #expect(faults("--array", huge).first?.utf8.count ?? 0 < 300)
    #expect(faults("--" + huge).first?.utf8.count ?? 0 < 300)
    #expect(faults("-" + String(repeating: "z", count: 1 << 20)).count == 10)
  }

  @Test("options from elsewhere fill gaps and lengthen lists, and those overruled are named")
  func merging() throws {
    let call = try parse("-q", "mine", "-l", "a")
    let script = try parse("-q", "other", "-l", "b", "--array", "3")
    let (merged, overruled) = definition.adding(script, to: call)
    #expect(merged[Option.queue] == "mine")
    #expect(merged[Option.list] == ["a", "b"])
    #expect(merged[Option.array] == 3)
    #expect(overruled == ["queue"])
  }

  @Test("a command with arguments of its own keeps them")
  func commandOperands() throws {
    let remote = CommandDefinition(
      "remote", "a test", synopsis: [""], operands: .command, options: [Option.flag])
    let arguments = try remote.parse(["-I", "host", "ls", "-l", "--", "x"])
    #expect(arguments[Option.flag])
    #expect(arguments.operands == ["host", "ls", "-l", "--", "x"])
  }
}
