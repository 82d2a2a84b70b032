// The variables WALLTIME_… and who may ask for what.

import ClusterModel
import Kao
import Testing

private func policy(_ text: String) throws -> WalltimePolicy {
  try WalltimePolicy(Configuration(parsing: text))
}

struct WalltimePolicyTests {
  @Test("nothing is allowed by default")
  func defaults() throws {
    let none = try policy("")
    #expect(none == WalltimePolicy())
    #expect(!none.isEnabled)
    #expect(none.possibleIncrease(submitted: 60, queue: "default", user: "alice") == 0)
  }

  @Test("one word enables requests and grants alike", arguments: ["YES", "yes", "Yes"])
  func enabled(word: String) throws {
    #expect(try policy("WALLTIME_CHANGE_ENABLED=\(word)").isEnabled)
  }

  @Test(
    "values by queue are read as oar.conf documents them and as OAR 3 reads them",
    arguments: [
      "{default => 7200, besteffort => 0.5, _ => -1}",
      "{'default': 7200, 'besteffort': 0.5, '_': -1}",
    ])
  func byQueue(text: String) throws {
    let policy = try policy("WALLTIME_MAX_INCREASE=\"\(text)\"")
    func increase(_ queue: String) -> Seconds? {
      policy.possibleIncrease(submitted: 601, queue: queue, user: "alice")
    }
    #expect(increase("default") == 7200)
    #expect(increase("besteffort") == 300)
    #expect(increase("admin") == nil)
  }

  @Test("a queue that is not listed has the value of _, and without one OAR's default")
  func otherQueues() throws {
    let policy = try policy("WALLTIME_MAX_INCREASE=\"{default => 7200}\"")
    #expect(policy.maxIncrease["default"] == .seconds(7200))
    #expect(policy.maxIncrease["admin"] == .seconds(0))
  }

  @Test("a plain fraction is a share of the walltime, never a text")
  func plainFraction() throws {
    let policy = try policy("WALLTIME_CHANGE_APPLY_TIME=0.25\nWALLTIME_INCREMENT=\"0.5\"")
    #expect(policy.applyTime["default"] == .share(0.25))
    #expect(policy.applyTime["default"].seconds(of: 1001) == 250)
    #expect(policy.increment["any"].seconds(of: 1001) == 500)
  }

  @Test(
    "a value that can't be used is refused by name, with what is allowed",
    arguments: [
      ("WALLTIME_MAX_INCREASE=-2", "WALLTIME_MAX_INCREASE"),
      ("WALLTIME_MAX_INCREASE=long", "WALLTIME_MAX_INCREASE"),
      ("WALLTIME_MAX_INCREASE=1.5", "WALLTIME_MAX_INCREASE"),
      ("WALLTIME_MAX_INCREASE=99999999999", "WALLTIME_MAX_INCREASE"),
      ("WALLTIME_CHANGE_APPLY_TIME=-1", "WALLTIME_CHANGE_APPLY_TIME"),
      ("WALLTIME_INCREMENT=\"{default => x}\"", "WALLTIME_INCREMENT"),
      ("WALLTIME_INCREMENT=\"{default 5}\"", "WALLTIME_INCREMENT"),
      ("WALLTIME_MIN_FOR_CHANGE=nan", "WALLTIME_MIN_FOR_CHANGE"),
      ("WALLTIME_CHANGE_ENABLED=perhaps", "WALLTIME_CHANGE_ENABLED"),
    ])
  func refusedValues(text: String, name: String) {
    let error = #expect(throws: ConfigurationError.self) { try policy(text) }
    #expect(error?.name == name)
  }

  @Test("users are listed with blanks or commas, by queue if need be; * is everybody")
  func users() throws {
    let policy = try policy(
      """
      WALLTIME_ALLOWED_USERS_TO_FORCE="alice, bob"
      WALLTIME_ALLOWED_USERS_TO_DELAY_JOBS="{ besteffort => '*', _ => 'carol dave' }"
      """)
    #expect(policy.usersToForce["default"] == .only(["alice", "bob"]))
    #expect(policy.usersToForce["default"].contains("oar"))
    #expect(!policy.usersToForce["default"].contains("carol"))
    #expect(policy.usersToDelayJobs["besteffort"].contains("anybody"))
    #expect(policy.usersToDelayJobs["default"] == .only(["carol", "dave"]))
  }
}

struct WalltimeRequestTests {
  private let job = RunningWalltime(start: 1000, walltime: 600)

  private func refusal(
    _ text: String, _ change: WalltimeChange, by user: String = "alice", container: Bool = false
  ) throws -> WalltimeRefusal? {
    try policy("WALLTIME_CHANGE_ENABLED=yes\n" + text)
      .refusal(of: change, for: job, by: user, isContainer: container)
  }

  @Test("without the variable, nobody may ask")
  func disabled() {
    let refusal = WalltimePolicy().refusal(
      of: WalltimeChange(pending: -1), for: job, by: "root", isContainer: false)
    #expect(refusal?.text == "functionality is disabled")
  }

  @Test("an increase stays within the limit, with what was granted before")
  func limit() throws {
    let limit = "WALLTIME_MAX_INCREASE=7200"
    #expect(try refusal(limit, WalltimeChange(pending: 7200)) == nil)
    #expect(
      try refusal(limit, WalltimeChange(pending: 7201))?.text
        == "request cannot be updated because the walltime cannot increase by more than 2:0:0.")
    var again = WalltimeChange(pending: 6901)
    again.granted = 300
    #expect(try refusal(limit, again) == .increaseLimit(7200))
    again.pending = 6900
    #expect(try refusal(limit, again) == nil)
    #expect(try refusal("", WalltimeChange(pending: 1)) == .increaseLimit(0))
    #expect(try refusal("", WalltimeChange(pending: .max), by: "root") == nil)
    #expect(try refusal(limit, WalltimeChange(pending: .max)) == .increaseLimit(7200))
    #expect(try refusal("", WalltimeChange(pending: -10)) == nil)
  }

  @Test("a share of the walltime is one of the walltime before any change")
  func shareOfSubmitted() throws {
    var change = WalltimeChange(pending: 1)
    change.granted = 300
    #expect(try refusal("WALLTIME_MAX_INCREASE=0.5", change) == .increaseLimit(150))
  }

  @Test("short jobs, force, delay and containers have rules of their own")
  func otherRules() throws {
    let unlimited = "WALLTIME_MAX_INCREASE=-1\n"
    #expect(
      try refusal(unlimited + "WALLTIME_MIN_FOR_CHANGE=601", WalltimeChange(pending: 1))
        == .tooShort(minimum: 601))
    let forced = WalltimeChange(pending: 1, force: true)
    #expect(
      try refusal(unlimited, forced)?.text
        == "walltime change for this job is not allowed to be forced.")
    #expect(try refusal(unlimited + "WALLTIME_ALLOWED_USERS_TO_FORCE=alice", forced) == nil)
    let delaying = WalltimeChange(pending: 1, delayNextJobs: true)
    #expect(
      try refusal(unlimited, delaying)?.text
        == "walltime change for this job is not allowed to delay other jobs.")
    #expect(try refusal(unlimited, delaying, by: "oar") == nil)
    #expect(
      try refusal(unlimited, WalltimeChange(pending: -1800), container: true)?.text
        == "reducing the walltime of a container job is not allowed")
    #expect(try refusal(unlimited, WalltimeChange(pending: 3540), container: true) == nil)
  }
}
