variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "environment" {
  description = "dev, test or prod"
  type        = string
}

# Given by the pipeline for each environment; the code alone does not show it.
variable "encrypt_worker_disks" {
  type = bool
}
