// JOB_PRIORITY and the variables of fair sharing, as written in `oar.conf`.

import ClusterModel
import Kamelot
import Testing

private func settings(_ text: String, file: String? = nil) throws -> OrderSettings {
  try OrderSettings(Configuration(parsing: text), priorityFile: file)
}

struct OrderSettingsTests {
  @Test("first in, first out is the default, and needs nothing else")
  func fifo() throws {
    for text in ["", "JOB_PRIORITY=FIFO", "SCHEDULER_FAIRSHARING_COEF_USER=bad"] {
      let settings = try settings(text)
      guard case .fifo = settings.policy() else {
        Issue.record("\(text) is not first in, first out")
        continue
      }
      #expect(!settings.needsUsage)
    }
  }

  @Test(
    "fair sharing reads its variables, with OAR's defaults",
    arguments: ["FAIRSHARE", "FAIRSHARING"])
  func fairShare(name: String) throws {
    let plain = try settings("JOB_PRIORITY=\(name)")
    #expect(plain.needsUsage)
    #expect(plain.fairShare == FairShareSettings())
    #expect(plain.fairShare.coefficients == .oar2)
    let full = try settings(
      """
      JOB_PRIORITY="\(name)"
      SCHEDULER_FAIRSHARING_COEF_PROJECT=0.5
      SCHEDULER_FAIRSHARING_COEF_USER="1"
      SCHEDULER_FAIRSHARING_COEF_USER_ASK=3
      SCHEDULER_FAIRSHARING_WINDOW_SIZE=86400
      SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER=0
      SCHEDULER_FAIRSHARING_PROJECT_TARGETS="{ first => 75, default => 25 }"
      SCHEDULER_FAIRSHARING_USER_TARGETS="{ toto => 75.5, 'jean paul' => 10, }"
      """)
    let share = full.fairShare
    #expect(share.coefficients == .init(projectUsed: 0.5, userUsed: 1, userAsked: 3))
    #expect(share.window == 86_400)
    #expect(share.jobsPerUser == 0)
    #expect(share.projectTargets == ["first": 75, "default": 25])
    #expect(share.userTargets == ["toto": 75.5, "jean paul": 10])
  }

  @Test("multifactor priority needs its file, and usage if karma has a weight")
  func multifactor() throws {
    let conf = "JOB_PRIORITY=MULTIFACTOR"
    #expect(throws: ConfigurationError.self) { try settings(conf) }
    #expect(throws: PriorityFileError.self) { try settings(conf, file: "nothing") }
    #expect(try !settings(conf, file: "age_weight: 1").needsUsage)
    let karma = try settings(
      conf + "\nSCHEDULER_FAIRSHARING_COEF_USER=9", file: "karma_weight: 1")
    #expect(karma.needsUsage)
    guard case .multifactor(let policy) = karma.policy(known: KnownKarma(users: ["a": 1])) else {
      Issue.record("not multifactor")
      return
    }
    #expect(policy.fairShare.settings.coefficients.userUsed == 9)
    #expect(policy.fairShare.known?.users == ["a": 1])
  }

  @Test(
    "a value that can't be used is refused by name",
    arguments: [
      ("JOB_PRIORITY=CUSTOM", "JOB_PRIORITY"),
      (
        "JOB_PRIORITY=FAIRSHARE\nSCHEDULER_FAIRSHARING_COEF_USER=x",
        "SCHEDULER_FAIRSHARING_COEF_USER"
      ),
      (
        "JOB_PRIORITY=FAIRSHARE\nSCHEDULER_FAIRSHARING_WINDOW_SIZE=0",
        "SCHEDULER_FAIRSHARING_WINDOW_SIZE"
      ),
      (
        "JOB_PRIORITY=FAIRSHARE\nSCHEDULER_FAIRSHARING_USER_TARGETS=\"{ toto => 175 }\"",
        "SCHEDULER_FAIRSHARING_USER_TARGETS"
      ),
      (
        "JOB_PRIORITY=FAIRSHARE\nSCHEDULER_FAIRSHARING_PROJECT_TARGETS=\"75\"",
        "SCHEDULER_FAIRSHARING_PROJECT_TARGETS"
      ),
    ])
  func refused(text: String, name: String) {
    let error = #expect(throws: ConfigurationError.self) { try settings(text) }
    #expect(error?.name == name)
  }
}

struct SettingMapTests {
  @Test(
    "lists are read as Perl and as Python write them",
    arguments: [
      "{default => 7200, _ => 0.5}", "{'default': 7200, '_': 0.5}",
      "  { \"default\"=>7200 , _=>'0.5', } ",
    ])
  func lists(text: String) throws {
    let map = try SettingMap(parsing: text, variable: "V")
    #expect(map == .each(["default": "7200", "_": "0.5"]))
  }

  @Test("a plain text stands for itself, without blanks at its ends")
  func plain() throws {
    for (text, expected) in [
      ("7200", "7200"), (" 0.5 ", "0.5"), ("", ""), ("alice, bob", "alice, bob"),
    ] {
      #expect(try SettingMap(parsing: text, variable: "V") == .one(expected))
    }
    #expect(try SettingMap(parsing: "{}", variable: "V") == .each([:]))
  }

  @Test(
    "broken lists are refused",
    arguments: [
      "{", "{a}", "{a => }", "{a => 1", "{a => 1} b", "{a => 1 b => 2}", "{a => 'x}", "{, }",
      "{a => 1, a => 2}", "{a = 1}", "{{a => 1}}",
    ])
  func broken(text: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try SettingMap(parsing: text, variable: "V")
    }
    #expect(error?.name == "V")
    #expect(error?.value == text)
  }
}
