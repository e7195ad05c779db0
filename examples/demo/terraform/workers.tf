data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

resource "aws_instance" "worker" {
  for_each = toset(["a", "b"])

  ami                    = data.aws_ssm_parameter.image.value
  instance_type          = "t3.small"
  subnet_id              = aws_subnet.private[0].id
  vpc_security_group_ids = [aws_security_group.workers.id]
  iam_instance_profile   = aws_iam_instance_profile.worker.name

  metadata_options {
    http_tokens = var.environment == "prod" ? "required" : "optional"
  }

  root_block_device {
    encrypted = var.encrypt_worker_disks
  }
}

resource "aws_iam_instance_profile" "worker" {
  name = "orders-worker"
  role = aws_iam_role.worker.name
}

resource "aws_iam_role" "worker" {
  name               = "orders-worker"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "worker" {
  name   = "orders-worker"
  role   = aws_iam_role.worker.id
  policy = data.aws_iam_policy_document.worker.json
}

data "aws_iam_policy_document" "worker" {
  statement {
    sid       = "Everything"
    actions   = ["*"]
    resources = ["*"]
  }
}

# The sandbox of the team keeps its disk for a day; accepted until the image is rebuilt.
resource "aws_ebs_volume" "scratch" {
  #checkov:skip=SRM-DAR-001:scratch data without content of customers
  availability_zone = "eu-central-1a"
  size              = 20
  encrypted         = false
}
