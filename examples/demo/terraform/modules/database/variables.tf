variable "name" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "storage_encrypted" {
  type = bool
}

variable "kms_key_arn" {
  type = string
}
