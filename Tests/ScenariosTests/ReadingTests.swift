// What every key of a scenario means.

import ClusterModel
import Kamelot
import Scenarios
import Testing

struct ReadingTests {
  @Test("every key of a waiting job is heeded")
  func waitingJob() throws {
    let read = try scenario(
      jobs: """
        {"id": 7, "user": "u1", "project": "p1", "queue": "night", "name": "a \\"name\\" \\u00e9",
         "submission_time": 990, "properties": "core > 1",
         "types": {"timesharing": "*,*", "besteffort": "", "token:x": 2},
         "moldables": [
           {"walltime": 60, "groups": [
             {"properties": "core < 4", "levels": [["network_address", 1], ["core", -1]]},
             {"levels": [["core", 2]]}]},
           {"walltime": 30, "groups": [{"levels": [["core", -2]]}, {"levels": [["core", -3]]}]}],
         "reservation": {"start": 7200}}
        """, #""name": "all keys""#)
    #expect(read.name == "all keys")
    #expect(read.now == 1000)
    let job = try #require(read.waiting.first)
    #expect(job.id == 7 && job.user == "u1" && job.project == "p1" && job.queue == "night")
    #expect(job.name == "a \"name\" é")
    #expect(job.submissionTime == 990)
    #expect(job.properties == "core > 1")
    #expect(job.types == ["timesharing=*,*", "besteffort", "token:x=2"])
    #expect(job.reservation == Reservation(start: 7200))
    let first = Moldable(
      walltime: 60,
      groups: [
        RequestGroup(
          properties: "core < 4",
          levels: [RequestLevel("network_address", .exactly(1)), RequestLevel("core", .all)]),
        RequestGroup(levels: [RequestLevel("core", .exactly(2))]),
      ])
    let second = Moldable(
      walltime: 30,
      groups: [
        RequestGroup(levels: [RequestLevel("core", .best)]),
        RequestGroup(levels: [RequestLevel("core", .bestHalf)]),
      ])
    #expect(job.moldables == [first, second])
  }

  @Test("what a job leaves out, or gives as null, has its default")
  func defaults() throws {
    let read = try scenario(
      jobs: job(1) + "," + job(2, #""user": null, "reservation": null, "types": null"#))
    #expect(read.waiting.count == 2)
    for job in read.waiting {
      #expect(job.user == "" && job.project == "default" && job.queue == "default")
      #expect(job.submissionTime == 1000)
      #expect(job.types.isEmpty && job.properties == "" && job.dependencies.isEmpty)
      #expect(job.reservation == nil)
    }
  }

  @Test("a reservation with assigned resources was promised them")
  func promised() throws {
    let read = try scenario(
      jobs: job(
        1, #""reservation": {"start": 2000}, "assigned": {"moldable": 0, "resources": "1-2,4"}"#))
    let promise = Reservation.Promise(moldable: 0, resources: [1, 2, 4])
    #expect(read.waiting.first?.reservation == Reservation(start: 2000, promised: promise))
  }

  @Test(
    "jobs in the states that hold resources hold them",
    arguments: ["toLaunch", "Launching", "Running", "Suspended", "Resuming", "Finishing"])
  func holdingJob(state: String) throws {
    let read = try scenario(
      jobs: job(
        5, walltime: 300,
        """
        "state": "\(state)", "start_time": 900, "assigned": {"moldable": 0, "resources": "2-4"},
        "user": "u2", "project": "p2", "queue": "long", "name": "n", "types": {"besteffort": ""}
        """))
    #expect(read.waiting.isEmpty)
    let job = try #require(read.holding.first)
    #expect(job.id == 5 && job.start == 900 && job.walltime == 300 && job.resources == [2, 3, 4])
    #expect(job.user == "u2" && job.project == "p2" && job.queue == "long" && job.name == "n")
    #expect(job.types == ["besteffort"] && job.isBesteffort)
    #expect(job.isEnding == (state == "Finishing"))
  }

  @Test("a job on hold is not planned, and one that has ended is not there at all")
  func otherStates() throws {
    let read = try scenario(
      jobs: [
        job(1, #""state": "Hold""#), job(2, #""state": "Terminated""#),
        job(3, #""state": "Error""#), job(4, #""dependencies": [1, 2]"#),
      ].joined(separator: ","))
    #expect(read.setAside.map(\.job) == [1])
    #expect(read.waiting.map(\.id) == [4])
    #expect(read.waiting.first?.dependencies == [.waiting(1), .satisfied])
  }

  @Test("a job waits for jobs of the scenario, before and behind it, and not for others")
  func dependencies() throws {
    let running = #""state": "Running", "start_time": 900, "assigned": {"resources": "1"}"#
    let read = try scenario(
      jobs: [
        job(1, #""dependencies": [2, 3, 4, 99]"#), job(2), job(3, walltime: 300, running),
        job(4, #""user": 17"#),
      ].joined(separator: ","))
    #expect(
      read.waiting.first?.dependencies == [.waiting(2), .running(3), .waiting(4), .satisfied])
  }

  @Test("the long form of the platform holds every column of the resources")
  func longPlatform() throws {
    let read = try Scenario(
      parsing: """
        {"now": 0, "hierarchy": ["network_address", "core"], "jobs": [], "resources": [
          {"id": 3, "network_address": "a", "core": 9, "gpu": "NO", "rack": null},
          {"id": 1, "network_address": "b", "core": 1, "state": "Absent", "type": "licence",
           "available_upto": 5000, "cpuset": 7, "besteffort": "NO", "deploy": "YES",
           "desktop_computing": "YES", "drain": "YES", "suspended_jobs": "YES",
           "finaud_decision": "YES", "scheduler_priority": -2, "expiry_date": 1,
           "last_job_date": 2, "last_available_upto": 3}]}
        """)
    var first = Resource(id: 3)
    first.networkAddress = "a"
    first.properties = ["core": .integer(9), "gpu": .text("NO"), "rack": .null]
    var second = Resource(id: 1)
    second.networkAddress = "b"
    second.properties = ["core": .integer(1)]
    second.state = .absent
    second.type = "licence"
    second.availableUpto = 5000
    second.cpuset = "7"
    (second.acceptsBesteffort, second.acceptsDeploy) = (false, true)
    (second.acceptsDesktopComputing, second.drain) = (true, true)
    (second.suspendedJobs, second.suspectedByServer) = (true, true)
    second.schedulerPriority = -2
    (second.expiryDate, second.lastJobDate, second.lastAvailableUpto) = (1, 2, 3)
    #expect(read.resources == [first, second])
    #expect(read.hierarchy == ["network_address", "core"])
    #expect(read.snapshot().platform.ids == [3, 1])
  }

  @Test("the short form of the platform cuts resources into blocks, the last one may be smaller")
  func shortPlatform() throws {
    let read = try Scenario(
      parsing: """
        {"now": 0, "jobs": [], "platform":
          {"resources": 5, "unit": "core", "levels": {"cpu": 2, "network_address": 4}}}
        """)
    #expect(read.resources.map(\.id) == [1, 2, 3, 4, 5])
    #expect(read.resources.map(\.networkAddress) == ["n1", "n1", "n1", "n1", "n2"])
    #expect(read.resources.map { $0.properties["cpu"] } == [1, 1, 2, 2, 3].map { .integer($0) })
    #expect(read.resources.map { $0.properties["core"] } == (1...5).map { .integer($0) })
    #expect(read.hierarchy == ["network_address", "cpu", "core"])
  }

  @Test("variables are those of oar.conf, as texts or numbers, with its defaults")
  func configuration() throws {
    let plain = try scenario(jobs: "", config: "")
    #expect(plain.settings.jobSecurityTime == 60)
    #expect(plain.settings.reservationPatience == 300)
    #expect(plain.settings.jobsPerPass == 0, "a scenario is planned whole")
    #expect(plain.settings.besteffortDuration == endOfTime)
    let set = try scenario(
      jobs: "",
      config: """
        "SCHEDULER_JOB_SECURITY_TIME": "5", "MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND": 30,
        "RESERVATION_WAITING_RESOURCES_TIMEOUT": 77, "SCHEDULER_RESOURCE_ORDER": "resource_id DESC"
        """)
    #expect(set.settings.jobSecurityTime == 5)
    #expect(set.settings.jobsPerPass == 30)
    #expect(set.settings.reservationPatience == 77)
    #expect(set.resources.map(\.id) == [4, 3, 2, 1])
    #expect(set.configuration["SCHEDULER_JOB_SECURITY_TIME"] == "5")
  }

  @Test("a job tells that it is suspended, and how it saves its work")
  func givingWay() throws {
    let held = #""start_time": 900, "assigned": {"resources": "1"}"#
    let read = try scenario(
      jobs: [
        job(1, #""state": "Suspended", \#(held)"#),
        job(2, #""state": "Running", \#(held), "checkpoint": 30, "checkpointed_at": 990"#),
        job(3, #""state": "Running", \#(held)"#),
      ].joined(separator: ","))
    #expect(read.holding.map(\.isSuspended) == [true, false, false])
    #expect(read.holding.map(\.checkpoint) == [0, 30, 0])
    #expect(read.holding.map(\.checkpointedAt) == [nil, 990, nil])
  }

  @Test("reservations may prefer resources in an order of their own")
  func reservationOrder() throws {
    let variable = #""SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS""#
    let read = try scenario(jobs: "", config: "\(variable): \"resource_id DESC\"")
    #expect(read.snapshot().reservationPlatform?.ids == [4, 3, 2, 1])
    #expect(read.snapshot().platform.ids == [1, 2, 3, 4])
    #expect(try scenario(jobs: "").snapshot().reservationPlatform == nil)
  }

  @Test("queues that only jobs name get priority 3, besteffort 0")
  func queues() throws {
    let read = try scenario(
      jobs: [
        job(1, #""queue": "a""#), job(2, #""queue": "besteffort""#), job(3, #""queue": "b""#),
        job(4, #""queue": "a""#),
      ].joined(separator: ","), #""queues": [{"name": "b", "priority": 9}]"#)
    #expect(
      read.queues == [
        Queue(name: "b", priority: 9), Queue(name: "a", priority: 3),
        Queue(name: "besteffort", priority: 0),
      ])
  }

  @Test("karma and quotas are read")
  func karmaAndQuotas() throws {
    let read = try scenario(
      jobs: "",
      """
      "karma": {"users": {"u1": 0.25, "u2": -1e-3}, "projects": {"p": 2}},
      "quotas": { "quotas" : {"*,*,*,/": [16, -1, "0.5*ALL"]} }
      """)
    #expect(read.karma.users == ["u1": 0.25, "u2": -0.001])
    #expect(read.karma.projects == ["p": 2])
    let quotas = try #require(read.quotas)
    #expect(quotas.ruleSets.first?.rules.first?.limits.resources == 16)
    #expect(try scenario(jobs: "").quotas == nil)
  }

  @Test(
    "ranges name ids",
    arguments: [("", []), ("7", [7]), ("1-4,7", [1, 2, 3, 4, 7]), ("2-2,4", [2, 4])])
  func ranges(text: String, ids: [ResourceID]) throws {
    let more = #""state": "Running", "start_time": 0, "assigned": {"resources": "\#(text)"}"#
    #expect(try scenario(jobs: job(1, more)).holding.first?.resources == ids)
  }
}
