// The scheduler's variables of oar.conf.

import ClusterModel
import Kamelot
import Testing

private func read(_ text: String) throws -> PlanningSettings {
  try PlanningSettings(Configuration(parsing: text))
}

struct PlanningSettingsTests {
  @Test("without variables, the defaults of the one who asks count")
  func defaults() throws {
    #expect(try read("") == PlanningSettings())
    var own = PlanningSettings()
    own.jobsPerPass = 7
    own.holeMinimum = 8
    own.suspendedTypes = []
    own.besteffortDuration = 9
    #expect(try PlanningSettings(Configuration(), defaults: own) == own)
  }

  @Test("each variable is read")
  func variables() throws {
    let settings = try read(
      """
      SCHEDULER_JOB_SECURITY_TIME=1
      MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND=2
      RESERVATION_WAITING_RESOURCES_TIMEOUT=3
      SCHEDULER_BESTEFFORT_KILL_DURATION_BEFORE_RESERVATION="4"
      SCHEDULER_GANTT_HOLE_MINIMUM_TIME=5
      SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS_THRESHOLD=6
      SCHEDULER_RESOURCES_ALWAYS_ASSIGNED_TYPE="frontal, gateway"
      SCHEDULER_AVAILABLE_SUSPENDED_RESOURCE_TYPE="default license"
      QUOTAS_ALL_NB_RESOURCES_MODE="all"
      """)
    #expect(settings.jobSecurityTime == 1)
    #expect(settings.jobsPerPass == 2)
    #expect(settings.reservationPatience == 3)
    #expect(settings.besteffortKillAhead == 4)
    #expect(settings.holeMinimum == 5)
    #expect(settings.reservationOrderThreshold == 6)
    #expect(settings.alwaysAssignedTypes == ["frontal", "gateway"])
    #expect(settings.suspendedTypes == ["default", "license"])
    #expect(settings.quotasCountDead)
    #expect(try !read("QUOTAS_ALL_NB_RESOURCES_MODE=default_not_dead").quotasCountDead)
  }

  @Test("less than one job a pass means no limit, as in OAR", arguments: ["0", "-1"])
  func noLimit(value: String) throws {
    #expect(try read("MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND=\(value)").jobsPerPass == 0)
  }

  @Test(
    "a value that can't be used is named",
    arguments: [
      "SCHEDULER_JOB_SECURITY_TIME", "MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND",
      "RESERVATION_WAITING_RESOURCES_TIMEOUT", "SCHEDULER_GANTT_HOLE_MINIMUM_TIME",
      "SCHEDULER_BESTEFFORT_KILL_DURATION_BEFORE_RESERVATION",
      "SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS_THRESHOLD",
    ])
  func refused(variable: String) {
    let error = #expect(throws: ConfigurationError.self) { try read("\(variable)=soon") }
    #expect(error?.name == variable && error?.value == "soon")
  }

  @Test("the order for reservations is its own, and an error names its variable")
  func reservationOrder() throws {
    let variable = "SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS"
    for text in ["", "\(variable)=\"\"", "SCHEDULER_RESOURCE_ORDER=\"resource_id ASC\""] {
      #expect(try ResourceOrder.ofReservations(Configuration(parsing: text)) == nil)
    }
    let order = try ResourceOrder.ofReservations(
      Configuration(parsing: "\(variable)=\"resource_id DESC\""))
    #expect(order?.sorted([Resource(id: 1), Resource(id: 2)]).map(\.id) == [2, 1])
    let error = #expect(throws: ConfigurationError.self) {
      try ResourceOrder.ofReservations(Configuration(parsing: "\(variable)=\"core UP\""))
    }
    #expect(error?.name == variable)
  }

  @Test(
    "a besteffort job is planned for what it is assumed to run, and for the time that it may lose")
  func runTime() {
    var settings = PlanningSettings()
    #expect(settings.runTime(of: 9000, isBesteffort: false) == 9000)
    #expect(settings.runTime(of: 9000, isBesteffort: true) == 300)
    settings.besteffortKillAhead = 100
    #expect(settings.runTime(of: 9000, isBesteffort: true) == 400)
    #expect(settings.runTime(of: 350, isBesteffort: true) == 350)
    settings.besteffortDuration = .max
    #expect(settings.runTime(of: 9000, isBesteffort: true) == 9000)
  }
}
