// Rows that make no sense, as a site's database may hold them.

/// Statements that spoil a site, each in a way of its own.
enum Nonsense {
  /// What makes rows of job 1, or of nobody, senseless.
  static let statements = [
    "UPDATE moldable_job_descriptions SET moldable_walltime = -5 WHERE moldable_id = 1",
    "UPDATE moldable_job_descriptions SET moldable_walltime = 2147483647 WHERE moldable_id = 1",
    "UPDATE job_resource_descriptions SET res_job_value = -77 WHERE res_job_group_id = 1",
    "UPDATE job_resource_descriptions SET res_job_value = 2147483647 WHERE res_job_group_id = 1",
    "UPDATE job_resource_descriptions SET res_job_resource_type = 'no such' WHERE res_job_group_id = 1",
    "UPDATE job_resource_groups SET res_group_property = 'a ( b' WHERE res_group_id = 1",
    "DELETE FROM job_resource_groups WHERE res_group_id = 1",
    "DELETE FROM moldable_job_descriptions WHERE moldable_id = 1",
    "UPDATE jobs SET properties = repeat('(', 3000) WHERE job_id = 1",
    "INSERT INTO job_types (job_id, type) VALUES (1, 'timesharing=='), (1, 'inner='), (1, '')",
    "INSERT INTO job_dependencies (job_id, job_id_required) VALUES (1, 1), (1, 0)",
    "INSERT INTO gantt_jobs_resources VALUES (4711, 1)",
    "INSERT INTO gantt_jobs_predictions VALUES (4711, -1)",
    "UPDATE jobs SET message = repeat('ä', 255), job_name = repeat('☃', 100) WHERE job_id = 1",
    "UPDATE jobs SET array_id = -1, submission_time = -2000000000 WHERE job_id = 1",
    "INSERT INTO assigned_resources (moldable_job_id, resource_id) VALUES (1, 99), (99, 1)",
  ]
}
