// Submissions: accepted, changed by the rules, or refused with a reason.

import ClusterModel
import Storage
import Testing
import Wire

@testable import Controller

@Suite("Submissions") struct SubmissionTests {
  @Test("a plain submission becomes one waiting job with OAR's remarks and message")
  func plain() throws {
    var state = smallCluster()
    var outcome = Outcome()
    let result = try state.submit(
      submission("core=1"), by: alice, settings: settings(), at: 100, &outcome)
    #expect(
      result.remarks == [
        "[ADMISSION RULE] Set default walltime to 7200.",
        "[ADMISSION RULE] Modify resource description with type constraints",
      ])
    let job = try #require(state.jobs[result.first])
    #expect(job.state == .waiting)
    #expect(job.message == "R=1,W=2:0:0,J=B")
    #expect(job.request.properties == "(desktop_computing = 'NO') AND drain='NO'")
    #expect(job.request.moldables[0].groups[0].properties == "type = 'default'")
    #expect(job.request.stdout == "OAR.%jobid%.stdout")
    guard case .jobsSubmitted(let jobs)? = outcome.changes.first else {
      Issue.record("no job is committed")
      return
    }
    #expect(jobs.map(\.id) == [1])
  }

  @Test("besteffort type, queue and property come together")
  func besteffort() throws {
    var state = smallCluster()
    var wanted = submission("core=1,walltime=1")
    wanted.types = ["besteffort"]
    let result = try state.accept(wanted)
    #expect(state.jobs[1]?.queue == "besteffort")
    #expect(
      state.jobs[1]?.request.properties
        == "((besteffort = 'YES') AND desktop_computing = 'NO') AND drain='NO'")
    #expect(
      result.remarks.first == "[ADMISSION RULE] Automatically redirect in the besteffort queue")
  }

  @Test("an array has consecutive ids, one request, and the parameters of its file")
  func array() throws {
    var state = smallCluster()
    var wanted = submission("core=1", command: "./job.sh")
    wanted.parameters = ["a 1", "b 2", "c 3"]
    let result = try state.accept(wanted)
    #expect(result.count == 3)
    #expect(result.arrayID == 1)
    #expect(
      (1...3).map { state.jobs[$0]?.command } == ["./job.sh a 1", "./job.sh b 2", "./job.sh c 3"])
    #expect((1...3).map { state.jobs[$0]?.arrayIndex } == [1, 2, 3])
    #expect(state.jobs[1]?.request === state.jobs[3]?.request)
  }

  struct Refused: Sendable, CustomTestStringConvertible {
    let what: String
    let kind: Refusal.Kind
    /// Must appear in the message.
    let value: String
    let change: @Sendable (inout Submission) -> Void
    var testDescription: String { what }
  }

  static let refused: [Refused] = [
    Refused(what: "zero hosts", kind: .badResourceRequest, value: "0") {
      $0.resources = ["nodes=0"]
    },
    Refused(what: "an unknown level", kind: .badProperty, value: "foo") {
      $0.resources = ["foo=1"]
    },
    Refused(what: "open braces", kind: .badResourceRequest, value: "{") {
      $0.resources = ["{host='node1'/core=1"]
    },
    Refused(what: "a number too large", kind: .badResourceRequest, value: "99999999999999999999") {
      $0.resources = ["core=99999999999999999999"]
    },
    Refused(what: "more than there is", kind: .notEnoughResources, value: "3") {
      $0.resources = ["host=3"]
    },
    Refused(what: "properties that match nothing", kind: .notEnoughResources, value: "host") {
      $0.properties = "host = 'node9'"
    },
    Refused(what: "an unknown column", kind: .badProperty, value: "foo") {
      $0.properties = "foo = 1"
    },
    Refused(what: "a broken condition", kind: .badProperty, value: "host") {
      $0.properties = "host = "
    },
    Refused(what: "an unknown queue", kind: .unknownQueue, value: "nosuch") { $0.queue = "nosuch" },
    Refused(what: "an unknown type", kind: .unknownType, value: "foo") { $0.types = ["foo"] },
    Refused(what: "an internal level", kind: .admission, value: "cpuset") {
      $0.resources = ["cpuset=1"]
    },
    Refused(what: "a job that is not there", kind: .unknownJob, value: "77") {
      $0.dependencies = [77]
    },
    Refused(what: "a relative directory", kind: .badDirectory, value: "work") {
      $0.directory = "work"
    },
    Refused(what: "a name of 101 characters", kind: .limit, value: "101") {
      $0.name = String(repeating: "n", count: 101)
    },
    Refused(what: "an empty array", kind: .badValue, value: "0") { $0.arraySize = 0 },
    Refused(what: "an array beyond the limit", kind: .limit, value: "200001") {
      $0.arraySize = 200_001
    },
    Refused(what: "a megabyte of request", kind: .badResourceRequest, value: "1") {
      $0.resources = [String(repeating: "core=1+", count: 150_000)]
    },
    Refused(what: "a megabyte of command", kind: .limit, value: "1000000") {
      $0.command = String(repeating: "x", count: 1_000_000)
    },
    Refused(what: "a reservation beyond all dates", kind: .badValue, value: "2147483648") {
      $0.reservationStart = 2_147_483_648
    },
    Refused(what: "a reservation that ends before it starts", kind: .badValue, value: "end") {
      $0.reservationStart = 5000
      $0.reservationEnd = 5000
    },
    Refused(what: "an interactive reservation", kind: .badValue, value: "interactive") {
      $0.reservationStart = 5000
      $0.kind = .interactive
    },
    Refused(what: "a held reservation", kind: .badValue, value: "--hold") {
      $0.reservationStart = 5000
      $0.hold = true
    },
    Refused(what: "a besteffort reservation", kind: .admission, value: "be a reservation") {
      $0.reservationStart = 5000
      $0.types = ["besteffort"]
    },
    Refused(what: "three reservations of a user", kind: .admission, value: "more than 2 waiting") {
      $0.reservationStart = 5000
      $0.arraySize = 3
    },
  ]

  @Test("is refused with its value, and nothing changes", arguments: refused)
  func refusal(_ refused: Refused) throws {
    var state = smallCluster()
    var wanted = submission("core=1")
    refused.change(&wanted)
    var outcome = Outcome()
    let error = #expect(throws: Refusal.self) {
      try state.submit(wanted, by: alice, settings: settings(), at: 100, &outcome)
    }
    #expect(error?.kind == refused.kind)
    #expect(error?.message.contains(refused.value) == true, "\(error?.message ?? "")")
    #expect((error?.message.utf8.count ?? 0) < 2000)
    #expect(state.jobs.isEmpty)
    #expect(state.nextJob == 1)
    #expect(outcome.changes.isEmpty)
  }

  @Test("root may not submit") func rootIsRefused() throws {
    var state = smallCluster()
    var outcome = Outcome()
    let error = #expect(throws: Refusal.self) {
      try state.submit(submission("core=1"), by: root, settings: settings(), at: 1, &outcome)
    }
    #expect(error?.message == "[ADMISSION RULE] root and oar users are not allowed to submit jobs.")
  }

  @Test("a submission that could not be written is taken back") func undo() throws {
    var state = smallCluster()
    let result = try state.accept(submission("core=1"))
    state.undoSubmission(of: result.first..<(result.first + 1))
    #expect(state.jobs.isEmpty)
    #expect(try state.pass(at: 101).changes.isEmpty)
  }
}
