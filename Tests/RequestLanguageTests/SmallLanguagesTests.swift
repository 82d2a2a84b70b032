// Walltimes, dates, job types, dependencies, signals and the lines of files.

import ClusterModel
import RequestLanguage
import Testing

@Suite("Walltimes and dates")
struct TimeLanguageTests {
  @Test(
    "a walltime is hours, minutes and seconds",
    arguments: [
      ("1", 3600), ("2:0:0", 7200), ("0:1", 60), ("0:0:5", 5), ("00:30:00", 1800), ("0:90", 5400),
      (" 1:2:3 ", 3723), ("596523:14:07", 2_147_483_647),
    ])
  func walltime(_ text: String, _ seconds: Int) throws {
    #expect(try Walltime.parse(text) == seconds)
  }

  @Test(
    "what is no walltime is refused",
    arguments: [
      "", "0", "0:0", "abc", "1:2:3:4", "-1", "1:-1", "1.5", "1h", ":", "1:", ":1",
      "596523:14:08", "999999999999999999999", "0:0:99999999999", "２",
    ])
  func badWalltime(_ text: String) {
    let error = #expect(throws: RequestError.self) { try Walltime.parse(text) }
    #expect(error?.allowed.contains("hours[:minutes[:seconds]]") == true)
  }

  @Test("every walltime comes back from OAR's form of it")
  func walltimesRoundTrip() throws {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<1000 {
      let seconds = random.number(1...2_147_483_647)
      #expect(try Walltime.parse(seconds.hoursMinutesSeconds) == seconds)
    }
  }

  @Test("a date is read and printed")
  func dates() throws {
    let date = try OARDate.parse("2027-03-25 17:32:12")
    #expect(date == CivilDate(year: 2027, month: 3, day: 25, hour: 17, minute: 32, second: 12))
    #expect(date.text == "2027-03-25 17:32:12")
    #expect(try OARDate.parse(" 2027-3-5   7:2:1 ").text == "2027-03-05 07:02:01")
    #expect(try OARDate.parse("2028-02-29 0:0:0").secondsSinceEpochInUTC == 1_835_395_200)
    let day = try OARDate.parse("2027-03-25", precision: .optionalTime)
    #expect(day.text == "2027-03-25 00:00:00")
    #expect(
      try OARDate.parse("2027-03-25 17:32", precision: .optionalTime).text
        == "2027-03-25 17:32:00")
  }

  @Test(
    "what is no date is refused",
    arguments: [
      "", "tomorrow", "now", "2027-03-25", "2027-03-25 17:32", "2027-02-29 00:00:00",
      "2027-13-01 00:00:00", "2027-00-01 00:00:00", "2027-01-01 24:00:00", "2027-01-01 00:60:00",
      "1969-12-31 23:59:59", "2038-01-01 00:00:00", "2027-03-25 17:32:12, 2027-03-25 18:32:12",
      "2027-03-25 17:32:12 x", "2027-03--5 17:32:12", "99999999999999999999-01-01 00:00:00",
    ])
  func badDates(_ text: String) {
    #expect(throws: RequestError.self) { try OARDate.parse(text) }
  }

  @Test("a date and its instant go back and forth in any time zone")
  func instants() throws {
    var random = SeededGenerator(seed: 4)
    for _ in 0..<1000 {
      let instant = random.number(86_400...2_145_000_000)
      let offset = random.number(-12...14) * 3600
      let date = try #require(CivilDate(instant, utcOffset: offset))
      #expect(date.instant { _ in offset } == instant)
    }
    #expect(CivilDate(0, utcOffset: 0)?.text == "1970-01-01 00:00:00")
    #expect(CivilDate(2_145_916_799, utcOffset: 0)?.text == "2037-12-31 23:59:59")
    #expect(CivilDate(2_145_916_800, utcOffset: 0) == nil)
    #expect(CivilDate(-1, utcOffset: 0) == nil)
    #expect(CivilDate(Int.max, utcOffset: 1) == nil)
  }

  @Test("a date takes the offset that is in force then, on both sides of a change of clocks")
  func clockChanges() throws {
    // Central Europe, 2027-03-28: from UTC+1 to UTC+2 at 01:00 UTC.
    let change = try OARDate.parse("2027-03-28 01:00:00").secondsSinceEpochInUTC
    let offset: (Instant) -> Seconds = { $0 < change ? 3600 : 7200 }
    #expect(try OARDate.parse("2027-03-28 01:59:59").instant(utcOffset: offset) == change - 1)
    #expect(try OARDate.parse("2027-03-28 03:00:00").instant(utcOffset: offset) == change)
    #expect(
      try OARDate.parse("2027-03-28 12:00:00").instant(utcOffset: offset) == change + 9 * 3600)
  }
}

@Suite("Job types")
struct JobTypeTests {
  @Test(
    "a type is read and written back",
    arguments: [
      "besteffort", "idempotent", "desktop_computing", "deploy", "deploy=standby", "cosystem",
      "cosystem=standby", "noop", "noop=standby", "container", "container=c-1.x", "inner=42",
      "inner=c1", "placeholder=p", "allowed=p", "timesharing=user,name", "timesharing=*,*",
      "timesharing=user,*", "timesharing=*,name", "token:matlab=3", "state=permissive",
      "postpone=2027-03-25 17:32:12", "deadline=2027-03-25 17:32:12",
      "expire=2027-03-25 17:32:12",
    ])
  func readsAndWrites(_ text: String) throws {
    #expect(try JobType(parsing: text).text == text)
  }

  @Test("what a placeholder lets through is named as OAR 2 and as OAR 3 do")
  func allowed() throws {
    #expect(try JobType(parsing: "allowed=p") == .allowed("p"))
    #expect(try JobType(parsing: "allow=p") == .allowed("p"))
  }

  @Test("time-sharing may name its parts in any order, and dates may leave out the time")
  func otherForms() throws {
    #expect(
      try JobType(parsing: "timesharing=name,user") == .timesharing(sameUser: true, sameName: true))
    #expect(
      try JobType(parsing: "timesharing=name,*") == .timesharing(sameUser: false, sameName: true))
    #expect(
      try JobType(parsing: "deadline=2027-03-25 17:32").text == "deadline=2027-03-25 17:32:00")
    #expect(try JobType(parsing: "expire=2027-03-25").text == "expire=2027-03-25 00:00:00")
  }

  @Test(
    "what is no type is refused",
    arguments: [
      "", "=", "foo", "foo=bar", "Besteffort", "besteffort=1", "idempotent=", "deploy=x",
      "deploy=", "noop=now", "container=", "container=a b", "container=a;b", "inner", "inner=",
      "placeholder", "allowed=", "timesharing", "timesharing=user", "timesharing=user,user",
      "timesharing=a,b", "token:=1", "token:x", "token:x=0", "token:x=-1",
      "token:x=99999999999999999999", "token=1", "postpone", "postpone=", "postpone=tomorrow",
      "deadline=2027-02-30", "state=", "state=Alive", "besteffort ",
    ])
  func refuses(_ text: String) {
    let error = #expect(throws: RequestError.self) { try JobType(parsing: text) }
    #expect(error?.allowed.isEmpty == false)
  }

  @Test("an unknown type is named with all that are allowed")
  func unknownType() {
    let error = #expect(throws: RequestError.self) { try JobType(parsing: "foo") }
    #expect(error?.kind == .unknown)
    #expect(error?.value == "foo")
    #expect(error?.allowed == JobType.allowedForms.joined(separator: ", "))
  }
}

@Suite("Dependencies and signals")
struct DependencyAndSignalTests {
  @Test(
    "a dependency is read and written back",
    arguments: ["1", "42,10", "42,-10", "42,0,3600", "42,,3600", "2147483647"])
  func dependencies(_ text: String) throws {
    #expect(try JobDependency(parsing: text).text == text)
  }

  @Test("the bounds of a dependency are seconds after the other job's start")
  func bounds() throws {
    let dependency = try JobDependency(parsing: " 42, +10 , 60 ")
    #expect(dependency == JobDependency(job: 42, earliest: 10, latest: 60))
    #expect(try JobDependency(parsing: "42,") == JobDependency(job: 42))
  }

  @Test(
    "what is no dependency is refused",
    arguments: [
      "", "0", "-1", "abc", "1,x", "1,2,3,4", "1,20,10", ",1", "99999999999999999999",
      "2147483648", "1,99999999999999999999", "1,2147483648", "1 2",
    ])
  func badDependencies(_ text: String) {
    #expect(throws: RequestError.self) { try JobDependency(parsing: text) }
  }

  @Test(
    "a signal goes by name or number",
    arguments: [
      ("USR1", 10), ("SIGUSR1", 10), ("sigusr2", 12), ("12", 12), ("kill", 9), (" TERM ", 15),
      ("64", 64), ("SYS", 31), ("HUP", 1),
    ])
  func signals(_ text: String, _ number: Int) throws {
    #expect(try SignalName.number(parsing: text) == number)
  }

  @Test(
    "what is no signal is refused with the list of those that are",
    arguments: ["", "0", "65", "-9", "FOO", "SIG", "SIGSIGUSR1", "9999999999999999999999"])
  func badSignals(_ text: String) {
    let error = #expect(throws: RequestError.self) { try SignalName.number(parsing: text) }
    #expect(error?.allowed.contains("USR1, SEGV, USR2") == true)
  }

  @Test("every number has a name that means it")
  func names() throws {
    for number in SignalName.numbers {
      #expect(try SignalName.number(parsing: SignalName.name(of: number)) == number)
    }
    #expect(SignalName.name(of: 12) == "USR2")
    #expect(SignalName.name(of: 40) == "40")
  }
}

@Suite("Lines of scripts and parameter files")
struct LineTests {
  @Test("the options of a script come with their lines, in any form")
  func directives() throws {
    let script = """
      #!/bin/bash
      #OAR -l nodes=2/core=1,walltime=0:10
      #OAR --resource="{host='a b'}/core=1"
      # OAR -l ignored=1
      #OARX -l ignored=1
      echo '#OAR -l ignored=1'
      #OAR\t--name  my job\t
      #OAR -p host = 'node1' AND "core" > 2
      #OAR -p 'host' = "x"
      #OAR --hold
      #OAR -k\r
        #OAR -l ignored=1
      #OAR --project='it'\\''s'
      #OAR -t "a \\" \\\\ \\n $"
      #OAR --after 12
      #OAR --notify=exec:/bin/x -v a
      """
    let found = try ScriptDirectives.parse(script)
    let expected = [
      ScriptDirective(option: "resource", value: "nodes=2/core=1,walltime=0:10", line: 2),
      ScriptDirective(option: "resource", value: "{host='a b'}/core=1", line: 3),
      ScriptDirective(option: "name", value: "my job", line: 7),
      ScriptDirective(option: "property", value: "host = 'node1' AND \"core\" > 2", line: 8),
      ScriptDirective(option: "property", value: "'host' = \"x\"", line: 9),
      ScriptDirective(option: "hold", value: nil, line: 10),
      ScriptDirective(option: "use-job-key", value: nil, line: 11),
      ScriptDirective(option: "project", value: "it's", line: 13),
      ScriptDirective(option: "type", value: "a \" \\ \\n $", line: 14),
      ScriptDirective(option: "anterior", value: "12", line: 15),
      ScriptDirective(option: "notify", value: "exec:/bin/x -v a", line: 16),
    ]
    #expect(found == expected)
  }

  @Test(
    "a line that is no option is refused with its number",
    arguments: [
      "#OAR", "#OAR nodes=2", "#OAR -l", "#OAR -l ''x'", "#OAR --resource=", "#OAR --nosuch 1",
      "#OAR -z 1", "#OAR --hold yes", "#OAR --hold=yes", "#OAR -", "#OAR --", "#OAR -p \"a",
      "#OAR -l" + String(repeating: " ", count: 100),
    ])
  func badDirectives(_ line: String) {
    let error = #expect(throws: RequestError.self) {
      try ScriptDirectives.parse("#!/bin/sh\n\n\(line)\necho\n")
    }
    #expect(error?.line == 3)
  }

  @Test("a file that does not begin as a script, and one that is too large, are refused")
  func noScript() {
    for text in ["", "echo", "\u{7F}ELF", "\n#!/bin/sh"] {
      #expect(throws: RequestError.self) { try ScriptDirectives.parse(text) }
    }
    let large = "#" + String(repeating: "x", count: RequestLimits.scriptBytes)
    let many = String(repeating: "#OAR --hold\n", count: RequestLimits.directives + 1)
    let long = "#OAR -l " + String(repeating: "x", count: RequestLimits.textBytes + 1)
    for text in [large, many, long] {
      let error = #expect(throws: RequestError.self) { try ScriptDirectives.parse(text) }
      #expect(error?.kind == .tooLarge)
    }
  }

  @Test("blank lines and comments of a parameter file make no jobs")
  func parameters() throws {
    let text = "a 1\n\n# no\n  \t\n  # no\nb '2 # yes'\r\n c \nlast"
    #expect(try parameterLines(text) == ["a 1", "b '2 # yes'", " c ", "last"])
  }

  @Test("a parameter file without a job, and one with too many, are refused")
  func badParameters() {
    for text in ["", "\n\n", "# only\n  # comments\n"] {
      #expect(throws: RequestError.self) { try parameterLines(text) }
    }
    let many = String(repeating: "x\n", count: RequestLimits.arrayJobs + 1)
    let error = #expect(throws: RequestError.self) { try parameterLines(many) }
    #expect(error?.kind == .tooLarge)
  }
}
